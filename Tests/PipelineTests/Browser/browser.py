"""Loads a web page of lm-score in headless Chromium, and prints facts about it as JSON: browser.py CHROMIUM PAGE

The page is loaded in light and dark, 320, 1280 and 1600 pixels wide; there is an object for each. The browser is
controlled through the DevTools protocol on a pipe, which needs no package, and works for a page whose policy forbids
scripts.
"""
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Returns the facts. Contrast is that of WCAG 2.2; colours are painted on a canvas to resolve transparency.
PROBE = r"""
(() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const page = getComputedStyle(document.body).backgroundColor;
  function paint(...colours) {
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(value => value / 255);
  }
  function luminance(rgb) {
    const [r, g, b] = rgb.map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast(element) {
    const backgrounds = [];
    for (let box = element; box; box = box.parentElement) {
      backgrounds.unshift(getComputedStyle(box).backgroundColor);
      if (box.classList.contains("details")) break;
    }
    const behind = paint(page, ...backgrounds), ink = paint(...[page, ...backgrounds], getComputedStyle(element).color);
    const [low, high] = [luminance(behind), luminance(ink)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }
  const root = document.documentElement;
  const units = [...document.querySelectorAll(".text .unit")];
  let widest = 0;
  const words = units.map(unit => {
    unit.focus();
    const details = unit.querySelector(".details");
    const box = details.getBoundingClientRect();
    widest = Math.max(widest, root.scrollWidth - root.clientWidth);
    const word = unit.cloneNode(true);
    word.querySelector(".details").remove();
    return {
      word: word.textContent, details: details.firstElementChild.textContent,
      tokens: [...details.querySelectorAll("b")].map(token => token.textContent),
      candidates: [...details.querySelectorAll(".candidates")].map(list => list.children.length),
      isShown: getComputedStyle(details).display !== "none" && box.height > 0,
      isInside: box.left >= 0 && box.right <= root.clientWidth,
      heat: contrast(unit),
    };
  });
  document.activeElement.blur();
  scrollTo(0, 0);  // focus has scrolled the page
  const elements = [...document.querySelectorAll(".unit, .legend, .total, .details, .details b, .candidates span")];
  return {
    words, overflow: Math.max(widest, root.scrollWidth - root.clientWidth),
    contrast: Math.min(...elements.map(contrast)),
    hidden: [...document.querySelectorAll(".details")].every(box => getComputedStyle(box).display === "none"),
    texts: [...document.querySelectorAll("p.text")].map(text => {
      const copy = text.cloneNode(true);
      copy.querySelectorAll(".details").forEach(box => box.remove());
      return copy.textContent;
    }),
    totals: [...document.querySelectorAll(".total")].map(total => total.textContent),
    isDark: luminance(paint(page)) < 0.5,
    foreign: document.querySelectorAll("script, img, link, iframe, object, svg, a").length,
    isHacked: "hacked" in window,
    first: (box => [box.left + box.width / 2, box.top + box.height / 2])(units[0].getClientRects()[0]),
  };
})()
"""
# Returns the number of boxes that are shown.
HOVERED = """
[...document.querySelectorAll(".details")].filter(box => getComputedStyle(box).display !== "none").length
"""


class Browser:
    def __init__(self, program, folder):
        (ours, self.output), (self.input, theirs) = os.pipe(), os.pipe()
        arguments = [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
                     "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]

        def rename():  # the browser reads commands from 3 and writes to 4
            command, answer = os.dup(ours), os.dup(theirs)
            os.dup2(command, 3)
            os.dup2(answer, 4)

        self.process = subprocess.Popen(
            arguments, preexec_fn=rename, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(ours)
        os.close(theirs)
        self.numbers = itertools.count(1)
        self.buffer = b""
        self.events = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def read(self):
        while b"\0" not in self.buffer:
            data = os.read(self.input, 1 << 16)
            if not data:
                raise EOFError("the browser has ended")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def facts(self, url, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events = []
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.read())
        answer = self.call("Runtime.evaluate", expression=PROBE, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])

        # The pointer on the first word, and then away from it.
        hovered = []
        x, y = answer["result"]["value"]["first"]
        for point in ((x, y), (width - 1, 1)):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=point[0], y=point[1])
            shown = self.call("Runtime.evaluate", expression=HOVERED, returnByValue=True)
            hovered.append(shown["result"]["value"])

        def events(*methods):
            return [event["params"] for event in self.events if event.get("method") in methods]

        requests = [request["request"]["url"] for request in events("Network.requestWillBeSent")]
        return answer["result"]["value"] | {
            "width": width, "scheme": scheme, "hovered": hovered,
            "requests": [other for other in requests if other != url],
            "messages": events("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"),
        }


program, page = sys.argv[1], pathlib.Path(sys.argv[2]).resolve().as_uri()
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    browser = Browser(program, folder)
    try:
        print(json.dumps([browser.facts(page, width, scheme) for width in (320, 1280, 1600) for scheme in ("light", "dark")]))
    finally:
        browser.process.terminate()
        browser.process.wait()
