/// The filters of jinja2 (jinja2/filters.py) that are implemented, and `tojson` of transformers.
enum Filter: String {
  case abs, batch, capitalize, center, count, d, `default`, dictsort, e, escape, first, float, forceescape, format,
    indent, int, items, join, last, length, list, lower, map, max, min, reject, rejectattr, replace, reverse, round,
    safe, select, selectattr, slice, sort, string, sum, title, tojson, trim, truncate, unique, upper, wordcount
}

extension Interpreter {
  /// Returns the filter with this name. As in jinja2, a template may name unknown filters if it does not use them.
  func filter(_ name: String) throws(TemplateError) -> Filter {
    guard let filter = Filter(rawValue: name) else { throw failure("the filter \"\(name)\" is not implemented") }
    return filter
  }

  func apply(_ filter: Filter, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    try step()
    switch filter {
    case .d, .default:
      let values = try bind(arguments, "default_value", "boolean", for: "default")
      let isReplaced = if case .undefined = value { true } else { values[1]?.isTrue ?? false && !value.isTrue }
      return isReplaced ? values[0] ?? .text([]) : value
    case .count, .length:
      _ = try bind(arguments, for: filter.rawValue)
      return .integer(try count(of: value))
    case .string, .safe, .capitalize, .center, .e, .escape, .forceescape, .format, .indent, .lower, .replace, .title,
      .trim, .truncate, .upper, .wordcount:
      return try applyToText(filter, to: value, arguments)
    case .abs, .float, .int, .round: return try applyToNumber(filter, to: value, arguments)
    case .tojson: return .text(try json(value, arguments))
    case .map: return try map(value, arguments)
    case .select, .reject, .selectattr, .rejectattr: return try select(filter, from: value, arguments)
    default: return try applyToCollection(filter, to: value, arguments)
    }
  }

  private func json(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> MarkedText {
    let values = try bind(arguments, "ensure_ascii", "indent", "separators", "sort_keys", for: "tojson")
    var indent: MarkedText?
    switch values[1] {
    case .text(let text): indent = text
    case let value:
      if let width = try optionalInteger(value, for: "tojson") { indent = try repeated(MarkedText(" "), width) }
    }
    var separators: (MarkedText, MarkedText)?
    if let value = values[2], value.isTrue {
      let pair = try elements(of: value)
      guard pair.count == 2 else { throw failure("tojson: separators must be two texts") }
      separators = (try requiredText(pair[0], for: "tojson"), try requiredText(pair[1], for: "tojson"))
    }
    var writer = JSONText(
      self, escapesNonASCII: values[0]?.isTrue ?? false, indent: indent, separators: separators,
      sortsKeys: values[3]?.isTrue ?? false)
    try writer.append(value)
    return writer.text
  }
}
