"""Formats the results as a Markdown table."""


def figure(value):
    """Formats a value with three digits, or with all digits of its integer part."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def markdown(results):
    lines = [
        "| row | work | lmpipe | others | share of the machine's limit | goals |",
        "| --- | --- | --- | --- | --- | --- |"]
    for result in results:
        row = result.row
        ours = f"**{figure(result.ours)}** {row.unit}"
        cells = [row.name, row.work, ours, others(result), limit(result), goals(result)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def others(result):
    cells = []
    for subject in result.row.subjects[1:]:
        ratio = result.ratio(subject.name) if result.row.is_contest else None
        better = f" ({figure(ratio)} ×)" if ratio else ""
        cells.append(f"{subject.name} {figure(result.median(subject.name))}{better}")
    return ", ".join(cells)


def limit(result):
    share = result.share() if result.row.limit else None
    return "" if share is None else f"{share:.2f} of {figure(result.limit)} {result.row.limit.unit}"


def goals(result):
    cells = []
    for goal in result.row.goals:
        value = goal.value(result)
        if value is None:
            cells.append(f"{goal.asks}: not measured")
        else:
            cells.append(f"{goal.asks}: {figure(value)}, {'reached' if goal.is_reached(result) else '**not reached**'}")
    return "; ".join(cells)


def notes(results):
    """Lists everything that was not measured, and every subject whose answer differs."""
    reasons = {}
    for result in results:
        for name, why in result.missing.items():
            reasons.setdefault((name, why), []).append(result.row.name)
    lines = [f"- Not measured: {name} in {', '.join(rows)}: {why}" for (name, why), rows in reasons.items()]
    for result in results:
        lines += [f"- Output of {name} differs in {result.row.name}: {how}" for name, how in result.different.items()]
    return "\n".join(lines)
