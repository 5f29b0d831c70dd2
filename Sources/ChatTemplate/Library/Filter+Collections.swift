extension Interpreter {
  func applyToCollection(
    _ filter: Filter, to value: Value, _ arguments: CallArguments
  ) throws(TemplateError) -> Value {
    switch filter {
    case .list: return try list(.list, elements(of: value))
    case .first: return try first(of: value)
    case .last:
      if case .generator = value { throw failure("last: a generator has no last element; |list makes a list of it") }
      return try elements(of: value).last ?? .undefined("No last item, sequence was empty.")
    case .reverse:
      if case .text(let text) = value { return .text(text.reversed()) }
      return try generator(elements(of: value).reversed())
    case .join:
      let values = try bind(arguments, "d", "attribute", for: "join")
      let elements = try keys(elements(of: value), attribute: values[1], ignoresCase: false)
      return .text(
        try join(elements, with: values[0].map { (value) throws(TemplateError) in try text(of: value) } ?? []))
    case .items:
      switch value {
      case .undefined: return try generator([])
      case .dictionary(let dictionary): return try generator(elements(of: items(of: dictionary)))
      default: throw failure("items requires a dictionary, found \(value.typeName)")
      }
    case .dictsort: return try dictionarySort(value, arguments)
    case .sort, .unique, .min, .max: return try order(filter, value, arguments)
    case .sum: return try sum(value, arguments)
    default: return try divide(filter, value, arguments)
    }
  }

  private func first(of value: Value) throws(TemplateError) -> Value {
    if case .generator(let generator) = value {
      return generator.next() ?? .undefined("No first item, sequence was empty.")
    }
    if case .text(let text) = value, let scalar = text.first { return .text([scalar]) }
    return try elements(of: value).first ?? .undefined("No first item, sequence was empty.")
  }

  // MARK: - Attributes

  /// Returns an attribute of an element: a name, a number, or several with points between them.
  func attribute(_ path: Value, ofElement element: Value, otherwise: Value? = nil) throws(TemplateError) -> Value {
    var parts: [Value] = [path]
    if case .text(let text) = path {
      parts = text.string.split(separator: ".", omittingEmptySubsequences: false).map {
        Int($0).flatMap { $0 >= 0 ? .integer($0) : nil } ?? .text(String($0))
      }
    }
    var value = element
    for part in parts {
      value = try item(value, at: part)
      if let otherwise, case .undefined = value { value = otherwise }
    }
    return value
  }

  /// Returns the keys by which elements are compared.
  private func keys(_ elements: [Value], attribute: Value?, ignoresCase: Bool) throws(TemplateError) -> [Value] {
    var keys: [Value] = []
    for element in elements {
      var key = element
      if let attribute, attribute.isTrue { key = try self.attribute(attribute, ofElement: element) }
      if ignoresCase, case .text(let text) = key {
        try spend(text.count)
        key = .text(text.lowercased)
      }
      keys.append(key)
    }
    return keys
  }

  // MARK: - Order

  private func dictionarySort(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let values = try bind(arguments, "case_sensitive", "by", "reverse", for: "dictsort")
    let by = try optionalText(values[1], for: "dictsort")?.string ?? "key"
    guard by == "key" || by == "value" else { throw failure("dictsort: by must be key or value") }
    guard case .dictionary(let dictionary) = value else {
      throw failure("dictsort requires a dictionary, found \(value.typeName)")
    }
    let pairs = try elements(of: items(of: dictionary))
    let keys = try keys(
      dictionary.members.map { by == "key" ? $0.key : $0.value }, attribute: nil,
      ignoresCase: !(values[0]?.isTrue ?? false))
    let order = try sorted(Array(keys.indices), reverse: values[2]?.isTrue ?? false) { keys[$0] }
    return try list(.list, order.map { pairs[$0] })
  }

  private func order(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let values =
      filter == .sort
      ? try bind(arguments, "reverse", "case_sensitive", "attribute", for: "sort")
      : [nil] + (try bind(arguments, "case_sensitive", "attribute", for: filter.rawValue))
    let elements = try elements(of: value)
    let keys = try keys(elements, attribute: values[2], ignoresCase: !(values[1]?.isTrue ?? false))
    switch filter {
    case .sort:
      let order = try sorted(Array(keys.indices), reverse: values[0]?.isTrue ?? false) { keys[$0] }
      return try list(.list, order.map { elements[$0] })
    case .unique:
      var seen: Set<Key> = []
      var unique: [Value] = []
      for (element, key) in zip(elements, keys) where seen.insert(try self.key(key)).inserted { unique.append(element) }
      return try generator(unique)
    default:
      guard !keys.isEmpty else { return .undefined("No aggregated item, sequence was empty.") }
      var best = 0
      for index in keys.indices.dropFirst() {
        let isBetter =
          filter == .min ? try isLess(keys[index], keys[best]) : try isLess(keys[best], keys[index])
        if isBetter { best = index }
      }
      return elements[best]
    }
  }

  private func sum(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let values = try bind(arguments, "attribute", "start", for: "sum")
    var sum = values[1] ?? .integer(0)
    for key in try keys(elements(of: value), attribute: values[0], ignoresCase: false) {
      sum = try apply(.add, sum, key)
    }
    return sum
  }

  // MARK: - Parts

  /// `batch` and `slice`: lists of a number of elements, or a number of lists.
  private func divide(_ filter: Filter, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    let values = try bind(arguments, filter == .batch ? "linecount" : "slices", "fill_with", for: filter.rawValue)
    guard let count = try optionalInteger(values[0], for: filter.rawValue), 1...Limits.rangeLength ~= count else {
      throw failure("\(filter.rawValue) requires a number from 1 to \(Limits.rangeLength)")
    }
    let elements = try elements(of: value)
    var parts: [Value] = []
    let fill: [Value] = values[1].map { value in if case .none = value { [] } else { [value] } } ?? []
    if filter == .batch {
      for start in stride(from: 0, to: elements.count, by: count) {
        let part = Array(elements[start..<min(start + count, elements.count)])
        try step(count)
        parts.append(try list(.list, part + (fill.first.map { Array(repeating: $0, count: count - part.count) } ?? [])))
      }
      return try generator(parts)
    }
    let (length, longer) = elements.count.quotientAndRemainder(dividingBy: count)
    var start = 0
    for index in 0..<count {
      let end = start + length + (index < longer ? 1 : 0)
      parts.append(try list(.list, elements[start..<end] + (index >= longer ? fill : [])))
      start = end
    }
    return try generator(parts)
  }

  // MARK: - Filters with filters or tests

  func map(_ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    var results: [Value] = []
    let elements = value.isTrue ? try elements(of: value) : []
    if arguments.positional.isEmpty {
      let attribute = arguments.named.first { $0.name == "attribute" }?.value
      let otherwise = arguments.named.first { $0.name == "default" }?.value
      if let other = arguments.named.first(where: { $0.name != "attribute" && $0.name != "default" }) {
        throw failure("map has no argument \"\(other.name)\"")
      }
      guard let attribute else { throw failure("map requires a filter or an attribute") }
      for element in elements {
        results.append(try self.attribute(attribute, ofElement: element, otherwise: otherwise))
      }
    } else {
      var arguments = arguments
      let name = try requiredText(arguments.positional.removeFirst(), for: "map").string
      let filter = try filter(name)
      for element in elements {
        results.append(try nested { () throws(TemplateError) in try apply(filter, to: element, arguments).plain })
      }
    }
    return try generator(results)
  }

  func select(_ filter: Filter, from value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
    var arguments = arguments
    var attribute: Value?
    if filter == .selectattr || filter == .rejectattr {
      guard !arguments.positional.isEmpty else { throw failure("\(filter.rawValue) requires an attribute") }
      attribute = arguments.positional.removeFirst()
    }
    var test: ValueTest?
    if !arguments.positional.isEmpty {
      let name = try requiredText(arguments.positional.removeFirst(), for: filter.rawValue).string
      test = try self.test(name)
    }
    let isSelecting = filter == .select || filter == .selectattr
    var selected: [Value] = []
    for element in value.isTrue ? try elements(of: value) : [] {
      try step()
      let key =
        try attribute.map { (path) throws(TemplateError) in try self.attribute(path, ofElement: element) } ?? element
      let result = try test.map { (test) throws(TemplateError) in try apply(test, to: key, arguments) } ?? key.isTrue
      if result == isSelecting { selected.append(element) }
    }
    return try generator(selected)
  }
}
