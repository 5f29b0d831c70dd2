import CommandLineTool

/// The colours and marks of surprisals. Words of a few bits keep the terminal's own colours; the others are black on a
/// background that gets darker and redder, so that they have a contrast of at least 4.5:1 in light and dark themes.
enum HeatScale {
  /// A class of surprisals: from `bits` on.
  struct Level {
    let bits: Float
    /// The background in the palette of 256 colours.
    let colour: Int
    /// The background among the eight basic colours.
    let basicColour: Int
    /// The background as red, green and blue.
    let rgb: SIMD3<Float>
    /// The mark below a word without colours.
    let mark: Character
  }

  /// The levels after the first, which has no colour. The second is not as light as paper, because it would stand out
  /// most in a dark theme.
  static let levels = [
    Level(bits: 4, colour: 187, basicColour: 47, rgb: [222, 214, 178], mark: "."),
    Level(bits: 8, colour: 222, basicColour: 46, rgb: [254, 217, 118], mark: ":"),
    Level(bits: 12, colour: 215, basicColour: 43, rgb: [254, 178, 76], mark: "+"),
    Level(bits: 16, colour: 209, basicColour: 42, rgb: [253, 141, 80], mark: "*"),
    Level(bits: 20, colour: 203, basicColour: 45, rgb: [248, 96, 80], mark: "#"),
  ]

  /// Returns the mark below a word; a space for one of few bits, or without a surprisal.
  static func mark(of bits: Float?) -> Character { bits.flatMap(level).map { levels[$0].mark } ?? " " }

  /// Returns the index in `levels` of a surprisal, or nil if it is below the first.
  static func level(of bits: Float) -> Int? { levels.lastIndex { bits >= $0.bits } }

  /// Returns the parameters of the control sequence Select Graphic Rendition (ECMA-48), or nil for no colour.
  static func sgr(of bits: Float, _ terminal: Terminal) -> String? {
    guard let index = level(of: bits) else { return nil }
    let level = levels[index]
    switch terminal.palette {
    case .none: return nil
    case .eight: return "30;\(level.basicColour)"
    case .many where terminal.hasTrueColour:
      let next = levels[min(index + 1, levels.count - 1)]
      let fraction = next.bits > level.bits ? (bits - level.bits) / (next.bits - level.bits) : 0
      let rgb = level.rgb + (next.rgb - level.rgb) * fraction
      return "38;2;0;0;0;48;2;\(Int(rgb.x));\(Int(rgb.y));\(Int(rgb.z))"
    case .many: return "38;5;16;48;5;\(level.colour)"
    }
  }
}
