import JSON
import JSONLines
import LanguageModel
import Platform

/// Measures output of records with logits, as `lm-logits` writes them. The same record is written repeatedly.
func measurePrinting(_ model: Transformer, asBase64: Bool, times: Int) throws -> Reply {
  let recordsAtATime = 50  // takes some hundredths of a second
  let sink = open("/dev/null", O_WRONLY)
  defer { close(sink) }
  let buffer = ByteBuffer()
  var bytesWritten = 0
  let ids = passIDs(1, below: model.shape.vocabularySize)
  var logits: [Float] = []
  try model.forward(ids, model.makeSinglePassCache(), logitsAt: 0..<1) { logits = Array($1) }

  var reply = logits.withUnsafeBufferPointer { logits in
    Reply(times: times) {
      bytesWritten = 0
      for _ in 0..<recordsAtATime {
        Record().write(
          to: buffer,
          [
            .set("ids") { $0.append(json: ids) },
            .set("logits") { asBase64 ? $0.append(base64: logits) : $0.append(json: logits) },
          ])
        buffer.append(UInt8(ascii: "\n"))
        bytesWritten += write(sink, buffer.bytes.baseAddress, buffer.count)
        buffer.removeAll()
      }
    }
  }
  reply.amount = bytesWritten
  reply.answer = [recordsAtATime]
  return reply
}
