/// The methods of lists and dictionaries that are implemented.
enum ContainerMethod: String {
  case copy, count, get, index, items, keys, values

  private static let changingLists: Set = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]
  private static let changingDictionaries: Set = ["clear", "pop", "popitem", "setdefault", "update"]

  /// Returns a method of a list or a dictionary; nil if Python has none of this name.
  static func function(_ name: String, of value: Value) -> Function? {
    let (names, changing): (Set<String>, Set<String>)
    switch value {
    case .dictionary: (names, changing) = (["copy", "get", "items", "keys", "values"], changingDictionaries)
    case .list(let list):
      switch list.kind {
      case .list: (names, changing) = (["copy", "count", "index"], changingLists)
      case .tuple, .range: (names, changing) = (["count", "index"], [])
      default: return nil
      }
    default: return nil
    }
    if names.contains(name) { return .method(value, name) }
    if name == "fromkeys", case .dictionary = value { return .refused("the method \"fromkeys\" is not implemented") }
    return changing.contains(name)
      ? .refused(
        "a template cannot change a \(value.typeName): the method \"\(name)\" is refused, as by jinja2's sandbox")
      : nil
  }
}

extension Interpreter {
  func call(_ method: ContainerMethod, of value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    switch (value, method) {
    case (.dictionary(let dictionary), .get):
      let values = try bind(arguments, "key", "default", for: "get")
      guard let name = values[0] else { throw failure("get requires a key") }
      return dictionary[try key(name)] ?? values[1] ?? .none
    case (.dictionary(let dictionary), .items):
      _ = try bind(arguments, for: "items")
      return try items(of: dictionary)
    case (.dictionary(let dictionary), .keys):
      _ = try bind(arguments, for: "keys")
      return try list(.keys, dictionary.members.map(\.key))
    case (.dictionary(let dictionary), .values):
      _ = try bind(arguments, for: "values")
      return try list(.values, dictionary.members.map(\.value))
    case (_, .copy): return value
    case (.list(let list), .index), (.list(let list), .count):
      guard let wanted = try bind(arguments, "value", for: method.rawValue)[0] else {
        throw failure("\(method.rawValue) requires a value")
      }
      var count = 0
      for (index, element) in list.elements.enumerated() where try areEqual(element, wanted) {
        if method == .index { return .integer(index) }
        count += 1
      }
      guard method == .count else { throw failure("index: the value is not in the list") }
      return .integer(count)
    default: throw failure("\(value.typeName) has no method \(method.rawValue)")
    }
  }

  /// Returns the members of a dictionary as pairs.
  func items(of dictionary: Dictionary) throws(TemplateError) -> Value {
    var pairs: [Value] = []
    for member in dictionary.members { pairs.append(try list(.tuple, [member.key, member.value])) }
    return try list(.items, pairs)
  }
}
