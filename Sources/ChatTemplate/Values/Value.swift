/// A value of the template language, with the semantics of Python. Lists and dictionaries are immutable, because the
/// sandbox of jinja2 that transformers uses refuses methods that change them.
enum Value {
  /// A name, attribute or item that does not exist; the message of the error if it is used.
  case undefined(String)
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case text(MarkedText)
  /// A text that `safe` or `escape` returns: `+` escapes the other operand, as `Markup` of the package markupsafe. It
  /// occurs only as an operand of `+`; everywhere else it is a text.
  case markup(MarkedText)
  case list(List)
  case dictionary(Dictionary)
  case namespace(Namespace)
  case generator(Generator)
  case function(Function)
  case loop(LoopState)

  static func text(_ string: String) -> Value { .text(MarkedText(string)) }
}

/// A list or another sequence of values.
final class List {
  enum Kind: Equatable {
    case list, tuple
    /// The results of `keys()`, `values()` and `items()`.
    case keys, values, items
    /// The text of the range.
    case range(String)
  }

  let kind: Kind
  let elements: [Value]
  /// The number of lists and dictionaries within each other.
  let depth: Int

  init(_ kind: Kind, _ elements: [Value]) {
    self.kind = kind
    self.elements = elements
    depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
  }
}

/// A dictionary, which keeps the order of its members.
final class Dictionary {
  let members: [(key: Value, value: Value)]
  /// The number of lists and dictionaries within each other.
  let depth: Int
  private let indices: [Key: Int]

  /// Of two members with the same key, the first place and the last value count.
  init(_ members: [(key: Value, hash: Key, value: Value)]) {
    var unique: [(key: Value, value: Value)] = []
    var indices: [Key: Int] = [:]
    for member in members {
      if let index = indices[member.hash] {
        unique[index].value = member.value
      } else {
        indices[member.hash] = unique.count
        unique.append((member.key, member.value))
      }
    }
    self.members = unique
    self.indices = indices
    depth = 1 + (unique.lazy.map { max($0.key.depth, $0.value.depth) }.max() ?? 0)
  }

  /// Creates a dictionary whose keys are texts.
  convenience init(_ members: [(key: MarkedText, value: Value)]) {
    self.init(members.map { (.text($0.key), .text($0.key), $0.value) })
  }

  subscript(key: Key) -> Value? { indices[key].map { members[$0].value } }
}

/// A value as the key of a dictionary. Numbers are equal across types.
enum Key: Hashable {
  case none
  case integer(Int)
  case float(Double)
  case text(MarkedText)
  case tuple([Key])
  case undefined

  /// Nil for a value that Python cannot hash.
  init?(_ value: Value) {
    switch value {
    case .none: self = .none
    case .boolean(let flag): self = .integer(flag ? 1 : 0)
    case .integer(let number): self = .integer(number)
    case .float(let number): self = Int(exactly: number).map(Key.integer) ?? .float(number)
    case .text(let text): self = .text(text)
    case .undefined: self = .undefined
    case .list(let list) where list.kind == .tuple:
      var keys: [Key] = []
      for element in list.elements {
        guard let key = Key(element) else { return nil }
        keys.append(key)
      }
      self = .tuple(keys)
    default: return nil
    }
  }
}

/// An object whose attributes can be assigned.
final class Namespace {
  var attributes: [(name: String, value: Value)] = []

  subscript(name: String) -> Value? {
    get { attributes.first { $0.name == name }?.value }
    set {
      guard let newValue else { return }
      if let index = attributes.firstIndex(where: { $0.name == name }) {
        attributes[index].value = newValue
      } else {
        attributes.append((name, newValue))
      }
    }
  }
}

/// The result of a filter such as `map`, which can be read once.
final class Generator {
  private let elements: [Value]
  private var position = 0
  let depth: Int

  init(_ elements: [Value]) {
    self.elements = elements
    depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
  }

  /// Returns the next value, or nil at the end.
  func next() -> Value? {
    guard position < elements.count else { return nil }
    position += 1
    return elements[position - 1]
  }

  /// Returns the values that have not been read.
  func rest() -> [Value] {
    defer { position = elements.count }
    return Array(elements[position...])
  }
}

/// Something that can be called.
indirect enum Function {
  case global(GlobalFunction)
  case method(Value, String)
  case macro(Macro)
  /// A method that exists in Python and cannot be called in a template.
  case refused(String)
}

/// A macro, or the body of a `call` block, with the variables around its definition.
final class Macro {
  let definition: MacroDefinition
  let scope: Scope

  init(_ definition: MacroDefinition, in scope: Scope) {
    self.definition = definition
    self.scope = scope
  }
}

extension Value {
  /// The number of lists and dictionaries within each other.
  var depth: Int {
    switch self {
    case .list(let list): list.depth
    case .dictionary(let dictionary): dictionary.depth
    case .generator(let generator): generator.depth
    case .function(.method(let value, _)): 1 + value.depth
    default: 0
    }
  }

  /// The value as a plain text if it is markup.
  var plain: Value { if case .markup(let text) = self { .text(text) } else { self } }

  /// The truth value, as in Python.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .boolean(let flag): flag
    case .integer(let number): number != 0
    case .float(let number): number != 0
    case .text(let text), .markup(let text): !text.isEmpty
    case .list(let list): !list.elements.isEmpty
    case .dictionary(let dictionary): !dictionary.members.isEmpty
    case .loop(let loop): (loop.knownLength ?? 1) > 0
    case .namespace, .generator, .function: true
    }
  }

  /// The name of Python's type, for messages.
  var typeName: String {
    switch self {
    case .undefined: "undefined"
    case .none: "None"
    case .boolean: "bool"
    case .integer: "int"
    case .float: "float"
    case .text, .markup: "str"
    case .list(let list):
      switch list.kind {
      case .list: "list"
      case .tuple: "tuple"
      case .keys: "dict_keys"
      case .values: "dict_values"
      case .items: "dict_items"
      case .range: "range"
      }
    case .dictionary: "dict"
    case .namespace: "namespace"
    case .generator: "generator"
    case .function: "function"
    case .loop: "loop"
    }
  }
}
