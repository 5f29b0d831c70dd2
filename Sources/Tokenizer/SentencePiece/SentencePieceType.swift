/// The type of a piece (`sentencepiece`, sentencepiece_model.proto; llama.cpp, `enum llama_token_type`).
package enum SentencePieceType: Int32 {
  case normal = 1
  case unknown, control, userDefined, unused, byte

  /// True if the text of such a piece is found in text that is encoded. Unknown, control and byte pieces are made in
  /// other ways only.
  var isFoundInText: Bool { self == .normal || self == .userDefined || self == .unused }
}
