import Foundation
import Testing

/// Headless Chromium, which Browser/browser.py controls.
private enum Browser {
  static let requirement: Comment = "NOT TESTED: the page of lm-score --html (needs chromium and python3)"

  /// The path of the program; nil if it or python3 is not installed.
  static let program: String? = {
    let result = try? Programs.shell(
      "command -v python3 > /dev/null && command -v chromium chromium-browser google-chrome | head -n 1")
    let path = result?.text.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    return path.isEmpty ? nil : path
  }()
}

/// The web page of `lm-score --html` in a browser.
@Suite(.enabled(if: Browser.program != nil, Browser.requirement))
struct HeatPageTests {
  /// Facts about the page in one width and colour scheme.
  private struct Facts: Decodable {
    let width: Int
    let scheme: String
    let words: [Word]
    let texts: [String]
    let totals: [String]
    let contrast: Double
    /// By how many pixels the page is wider than the window, also while a word shows its details.
    let overflow: Double
    /// True if no word shows its details when none has the focus.
    let hidden: Bool
    /// The number of words that show their details while the pointer is on the first word, and after that.
    let hovered: [Int]
    let isDark: Bool
    let isHacked: Bool
    /// The number of elements that are no text.
    let foreign: Int
    let requests: [String]
    let messages: [Message]

    static let kinds = [320, 1280, 1600].flatMap { ["\($0) light", "\($0) dark"] }

    struct Message: Decodable {}
  }

  /// A word while it has the focus of the keyboard.
  private struct Word: Decodable {
    let word: String
    let details: String
    let tokens: [String]
    let candidates: [Int]
    let isShown: Bool
    let isInside: Bool
  }

  private struct Scores: Decodable {
    let wordScores: [WordScore]

    struct WordScore: Decodable {
      let word: String?
      let tokens: [Int]
      let surprisal: Double?
    }
  }

  private struct Page {
    let facts: [Facts]
    let scores: [Scores]
  }

  /// Writes the page of some texts, loads it in each width and colour scheme, and computes the scores as records.
  private func load(_ texts: [String], byToken: Bool = false) throws -> Page {
    let folder = try TemporaryFolder()
    let input = Data((texts.joined(separator: "\0") + "\0").utf8)
    let script = """
      bpe-encode --null --bos > ids && lm-score ids > scores && lm-score --html\(byToken ? " --by token" : "") ids > page.html &&
      python3 "$CHECKOUT/Tests/PipelineTests/Browser/browser.py" "$BROWSER" page.html
      """
    let result = try Programs.shell(
      script, input: input, environment: ["BROWSER": Browser.program ?? ""], in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let scores = try String(contentsOf: folder.url.appending(path: "scores"), encoding: .utf8).split(separator: "\n")
    let facts = try JSONDecoder().decode([Facts].self, from: result.output)
    #expect(facts.map { "\($0.width) \($0.scheme)" } == Facts.kinds)
    return Page(facts: facts, scores: try scores.map { try decoder.decode(Scores.self, from: Data($0.utf8)) })
  }

  /// Checks what must be true of every page.
  private func check(_ page: Page) {
    for facts in page.facts {
      let place: Comment = "\(facts.width) pixels, \(facts.scheme)"
      #expect(facts.isDark == (facts.scheme == "dark"), place)
      #expect(facts.contrast >= 4.5, place)
      #expect(facts.overflow == 0, place)
      #expect(facts.words.allSatisfy { $0.isShown && $0.isInside }, place)
      #expect(facts.hidden && facts.hovered == [1, 0], place)
      #expect(facts.requests.isEmpty && facts.messages.isEmpty && facts.foreign == 0 && !facts.isHacked, place)
    }
  }

  @Test func showsWordsWithTheirScores() throws {
    let texts = ["She opened the door, and a crocodile said “no”.", "Un café crème  à 5 €.\nA second line.\n"]
    let page = try load(texts)
    check(page)
    let expected = page.scores.flatMap(\.wordScores)
    #expect(expected.count == 18)
    for facts in page.facts {
      #expect(facts.texts == texts)
      #expect(facts.totals.count == 2 && facts.totals[0].contains(" bits, 21 tokens, perplexity "))
      #expect(facts.words.map(\.word) == expected.map(\.word))
      for (found, score) in zip(facts.words, expected) {
        #expect(found.details.hasPrefix(String(format: "%.2f bits; corrected: ", try #require(score.surprisal))))
        #expect(found.details.contains("; entropy before: "))
        #expect(found.tokens.count == score.tokens[1] - score.tokens[0])
        #expect(found.candidates == found.tokens.map { _ in 5 })
      }
    }
  }

  @Test func showsTokens() throws {
    let page = try load(["A crocodile."], byToken: true)
    check(page)
    #expect(page.facts[0].words.map(\.word) == ["A", " c", "ro", "c", "od", "ile", "."])
    #expect(page.facts[0].words.allSatisfy { $0.tokens.count == 1 && $0.candidates == [5] })
  }

  @Test func hostileTextsStayText() throws {
    let texts = [
      #"</p></script><script>window.hacked=1</script><img src=x onerror="window.hacked=1"> <a href=//x.example/>"#,
      #"&lt;b&gt; &amp; "q" 'q' "><style>*{display:none}</style><!-- "# + "\u{202E}right to left",
      "control \u{1}\u{1B}[31m characters\r",
      String(repeating: "Donaudampfschifffahrtsgesellschaft", count: 20) + " 日本語の文章日本語の文章日本語の文章",
      // Words at all places of a line
      (1...120).map { String(repeating: "w", count: $0 % 7 + 1) }.joined(separator: " "),
      "<iframe src=data:text/html,x></iframe><base href=//x.example/><link rel=stylesheet href=x.css>",
    ]
    let page = try load(texts)
    check(page)
    for facts in page.facts {
      #expect(facts.texts[0] == texts[0] && facts.texts[3...] == texts[3...])
      #expect(facts.texts[1] == texts[1].replacing("\u{202E}", with: "\\u{202E}"))
      #expect(facts.texts[2] == "control \\u{1}\\u{1B}[31m characters\\r")
    }
  }
}
