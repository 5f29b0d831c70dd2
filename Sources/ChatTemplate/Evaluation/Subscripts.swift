extension Interpreter {
  /// Returns `value.name`: a method or an attribute, or else the member of a dictionary.
  func attribute(_ name: String, of value: Value) throws(TemplateError) -> Value {
    if name.hasPrefix("__"), name.hasSuffix("__") {
      return .undefined("access to the attribute \(name) is refused, as by jinja2's sandbox")
    }
    if let found = try pythonAttribute(name, of: value) { return found }
    if case .dictionary(let dictionary) = value, let found = dictionary[.text(MarkedText(name))] { return found }
    return .undefined("'\(objectName(value))' has no attribute '\(name)'")
  }

  /// Returns `value[index]`: an element or a member, or else an attribute.
  func item(_ value: Value, at index: Value) throws(TemplateError) -> Value {
    switch (value, index) {
    case (.undefined(let message), _): throw failure(message)
    case (.dictionary(let dictionary), _):
      if let key = Key(index), let found = dictionary[key] { return found }
    case (.list(let list), .integer(let number)) where list.isIndexed:
      if let position = position(number, in: list.elements.count) { return list.elements[position] }
    case (.text(let text), .integer(let number)):
      if let position = position(number, in: text.count) { return .text([text[position]]) }
    case (.list, .boolean(let flag)), (.text, .boolean(let flag)): return try item(value, at: .integer(flag ? 1 : 0))
    default: break
    }
    if case .text(let name) = index, let found = try pythonAttribute(name.string, of: value) { return found }
    if case .text(let name) = index { return .undefined("'\(objectName(value))' has no attribute '\(name.string)'") }
    return .undefined("\(objectName(value)) has no element \(try representation(of: index).string)")
  }

  /// Returns an attribute that Python's object has, without the members of a dictionary.
  private func pythonAttribute(_ name: String, of value: Value) throws(TemplateError) -> Value? {
    switch value {
    case .undefined(let message): throw failure(message)
    case .namespace(let namespace): return namespace[name]
    case .loop(let loop): return try attribute(name, of: loop)
    case .text: return TextMethod.function(name, of: value).map(Value.function)
    case .list, .dictionary: return ContainerMethod.function(name, of: value).map(Value.function)
    default: return nil
    }
  }

  private func objectName(_ value: Value) -> String {
    if case .none = value { return "None" }
    return "\(value.typeName) object"
  }

  private func position(_ index: Int, in count: Int) -> Int? {
    let position = index < 0 ? index + count : index
    return 0..<count ~= position ? position : nil
  }

  /// Returns `value[start:stop:step]`.
  func slice(_ value: Value, _ start: Int?, _ stop: Int?, _ step: Int?) throws(TemplateError) -> Value {
    guard step != 0 else { throw failure("the step of a slice must not be 0") }
    switch value {
    case .undefined(let message): throw failure(message)
    case .text(let text):
      let indices = Self.indices(start, stop, step ?? 1, in: text.count)
      try spend(indices.count)
      return .text(indices.map { text[$0] })
    case .list(let list) where list.isIndexed:
      let indices = Self.indices(start, stop, step ?? 1, in: list.elements.count)
      try self.step(indices.count / 8)
      return try self.list(list.kind == .tuple ? .tuple : .list, indices.map { list.elements[$0] })
    default: throw failure("a value of type \(value.typeName) has no slices")
    }
  }

  /// The indices of a slice, as Python's `slice.indices`.
  private static func indices(_ start: Int?, _ stop: Int?, _ step: Int, in count: Int) -> [Int] {
    let (least, most) = step > 0 ? (0, count) : (-1, count - 1)
    func clamped(_ bound: Int) -> Int { min(max(bound < 0 ? bound + count : bound, least), most) }
    let first = start.map(clamped) ?? (step > 0 ? least : most)
    let end = stop.map(clamped) ?? (step > 0 ? most : least)
    // A step of more than `count` has the same result, and cannot overflow
    return Array(stride(from: first, to: end, by: min(max(step, -count - 1), count + 1)))
  }
}

extension List {
  /// True if elements can be accessed by index. The views of a dictionary have no indices.
  var isIndexed: Bool {
    switch kind {
    case .list, .tuple, .range: true
    default: false
    }
  }
}
