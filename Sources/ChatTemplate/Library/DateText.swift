import Platform

extension Interpreter {
  /// Returns the local time in a format of strftime(3), as Python's `datetime.now().strftime`.
  func currentDate(_ format: MarkedText) throws(TemplateError) -> MarkedText {
    guard !format.isEmpty else { return [] }
    let string = format.string
    guard !string.utf8.contains(0) else { throw failure("strftime_now: the format contains a zero character") }
    var now = time(nil)
    var local = tm()
    guard localtime_r(&now, &local) != nil else { throw failure("strftime_now: the time is not available") }
    // A width in the format can make the text longer than the buffer, which is an error
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = strftime(&buffer, buffer.count, string, &local)
    guard count > 0 else { throw failure("strftime_now: the format \"\(string)\" is not supported") }
    let isInput = format.contains(where: \.isInput)
    return MarkedText(utf8: buffer.prefix(count).map { UInt8(bitPattern: $0) }, isInput: isInput)
  }
}
