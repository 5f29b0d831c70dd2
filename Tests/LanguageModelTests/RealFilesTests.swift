import Checkpoint
import Foundation
import TestSupport
import Testing

@testable import LanguageModel

/// Forms of real files that transformers or training scripts write, besides the usual one.
@Suite struct RealFilesTests {
  // MARK: config.json

  /// If a file has several names for a size, the name that transformers 5 prefers is read, whatever their order.
  @Test(arguments: [
    ("gpt2", "n_embd", "hidden_size"), ("gpt2", "n_layer", "num_hidden_layers"),
    ("gpt2", "n_head", "num_attention_heads"),
    ("gpt2", "n_positions", "max_position_embeddings"), ("gptj", "n_embd", "hidden_size"),
    ("gptj", "n_layer", "num_hidden_layers"), ("gptj", "n_head", "num_attention_heads"),
    ("gptj", "n_positions", "max_position_embeddings"), ("gpt_neo", "num_layers", "num_hidden_layers"),
    ("gpt_neo", "num_heads", "num_attention_heads"), ("bloom", "hidden_size", "n_embed"),
    ("bloom", "n_layer", "num_hidden_layers"), ("bloom", "n_head", "num_attention_heads"),
    ("falcon", "hidden_size", "n_embed"), ("falcon", "n_layer", "num_hidden_layers"),
    ("falcon", "n_head", "num_attention_heads"),
  ])
  func prefersNamesOfTransformers(_ type: String, _ other: String, _ preferred: String) throws {
    func value(_ members: String) throws -> Int {
      // The other sizes suit each of these values.
      var all = #""model_type":"\#(type)",\#(members)"#
      let sizes = [
        ("hidden_size", 960, ["n_embd", "n_embed"]), ("num_attention_heads", 4, ["n_head", "num_heads"]),
        ("num_hidden_layers", 24, ["n_layer", "num_layers"]),
      ]
      for (name, size, others) in sizes where !([name] + others).contains(where: { members.contains("\"\($0)\"") }) {
        all += #","\#(name)":\#(size)"#
      }
      if type == "gptj" { all += #","rotary_dim":2"# }
      if type == "gpt_neo" {
        let layers = preferred == "num_hidden_layers" ? (members.contains(#"s":8"#) ? 8 : 16) : 24
        all += #","attention_types":[[["global"],\#(layers)]]"#
      }
      let shape = try readShape("{\(all)}")
      return switch preferred {
      case "num_hidden_layers": shape.layers
      case "num_attention_heads": shape.heads
      case "max_position_embeddings": shape.contextLength
      default: shape.width
      }
    }
    #expect(try value(#""\#(other)":16,"\#(preferred)":8"#) == 8)
    #expect(try value(#""\#(preferred)":8,"\#(other)":16"#) == 8)
    #expect(try value(#""\#(other)":16"#) == 16)
    #expect(try value(#""\#(preferred)":8"#) == 8)
    #expect(try value(#""\#(preferred)":null,"\#(other)":16"#) == 16)
  }

  /// transformers does not read these names for these families.
  @Test func ignoresNamesOfOtherFamilies() throws {
    let gpt2 = #"{"model_type":"gpt2","n_embd":8,"n_head":2"#
    #expect(try readShape(gpt2 + #","intermediate_size":5}"#).ffnWidth == 32)
    #expect(try readShape(gpt2 + #","intermediate_size":5,"n_inner":6}"#).ffnWidth == 6)
    #expect(try readShape(gpt2 + #","intermediate_size":5,"n_inner":null}"#).ffnWidth == 32)
    #expect(try readShape(gpt2 + #","n_ctx":77}"#).contextLength == 1024)
    let opt = #"{"model_type":"opt","hidden_size":8,"num_attention_heads":2"#
    #expect(try readShape(opt + #","intermediate_size":5,"ffn_dim":6}"#).ffnWidth == 6)
    #expect(try readShape(opt + #","intermediate_size":5}"#).ffnWidth == 3072)
    #expect(try readShape(#"{"model_type":"bloom","max_position_embeddings":9}"#).contextLength == 2048)
  }

  /// transformers 5 computes with these values in `rope_parameters`, and transformers 4 with all of them.
  @Test func acceptsIntegersWrittenAsFloats() throws {
    let shape = try readShape(
      #"{"model_type":"llama","vocab_size":1e2,"hidden_size":64.0,"num_hidden_layers":2.0,"num_attention_heads":8.0,"#
        + #""num_key_value_heads":4.0,"intermediate_size":96.0,"max_position_embeddings":8.0e1,"eos_token_id":[5.0,6],"#
        + #""rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"#
        + #""original_max_position_embeddings":40.0}}"#)
    #expect(shape.vocabularySize == 100 && shape.width == 64 && shape.layers == 2 && shape.heads == 8)
    #expect(shape.kvHeads == 4 && shape.ffnWidth == 96 && shape.contextLength == 80 && shape.eosTokenIDs == [5, 6])
    guard case .llama3(let scaling) = shape.ropes.first?.scaling else {
      Issue.record("\(shape.ropes)")
      return
    }
    #expect(scaling.originalContextLength == 40)
    #expect(
      try errorMessage(#"{"model_type":"gpt2","n_layer":1.5}"#)
        == #"config.json: byte 32: 1.5 is not an integer (in "n_layer")"#)
  }

  @Test func acceptsByteOrderMark() throws {
    #expect(try readShape("\u{FEFF}" + #"{"model_type":"gpt2","n_layer":3}"#).layers == 3)
    #expect(
      try readShape(#"{"model_type":"gpt2"}"#, generation: "\u{FEFF}" + #"{"eos_token_id":[7,8]}"#).eosTokenIDs == [
        7, 8,
      ]
    )
  }

  /// A Gemma 3 model of text and images. `extra` is in the configuration of the text model, `outer` is not.
  private func gemma(_ extra: String = "", outer: String = "") -> String {
    #"{"model_type":"gemma3","vision_config":{"num_hidden_layers":9,"a":NaN}\#(outer),"text_config":{"vocab_size":8,"#
      + #""hidden_size":4,"intermediate_size":6,"num_hidden_layers":1,"num_attention_heads":1,"num_key_value_heads":1,"#
      + #""head_dim":4\#(extra)}}"#
  }

  @Test func acceptsPythonConstantsInTextConfiguration() throws {
    let shape = try readShape(
      gemma(#","a":NaN,"b":[-Infinity,{"c":Infinity}],"max_position_embeddings":Infinity,"max_position_embeddings":9"#))
    #expect(shape.layers == 1 && shape.contextLength == 9)
  }

  @Test func readsMembersBesideTheTextConfiguration() throws {
    #expect(try readShape(gemma()).tiesEmbeddings)
    #expect(try !readShape(gemma(outer: #","tie_word_embeddings":false"#)).tiesEmbeddings)
    #expect(try readShape(gemma(#","tie_word_embeddings":false"#)).tiesEmbeddings)
    let quantization = #","quantization_config":{"quant_method":"awq"}"#
    let message = "config.json: quantization_config (awq) is not implemented; use a quantized GGUF file instead"
    #expect(try errorMessage(gemma(outer: quantization)) == message)
    #expect(try errorMessage(gemma(quantization)) == message)
  }

  @Test(arguments: [
    #"{"architectures":["GPT2LMHeadModel"]}"#, #"{"model_type":null,"architectures":["GPT2LMHeadModel"]}"#,
    #"{"model_type":"","architectures":["GPT2LMHeadModel"]}"#,
  ])
  func requiresModelType(_ configuration: String) throws {
    #expect(try errorMessage(configuration) == "config.json: model_type is missing")
  }

  // MARK: tensors

  /// Names with the prefixes of the modules in which PyTorch wraps a model, or a part of it.
  @Test(arguments: [
    "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.transformer.", "transformer.module.",
    "_orig_mod.transformer._orig_mod.", "_orig_mod.module.transformer.module._orig_mod.", "module.module.",
  ])
  func acceptsNamesOfWrappedModels(_ prefix: String) throws {
    let tensors = smallTensors.map { (key: prefix + $0, value: $1) } + [(key: "module.lm_head.weight", value: [4, 2])]
    let weights = try safetensors(tensors).write(to: Folder()).model().weights()
    #expect(weights.map(\.name) == tensors.map(\.key).sorted())
  }

  @Test(arguments: ["model.", "orig_mod.", "modules.", "transformer.transformer.", "h.module."])
  func rejectsOtherPrefixes(_ prefix: String) throws {
    let folder = try safetensors(smallTensors.map { (key: prefix + $0, value: $1) }).write(to: Folder())
    #expect(folder.errorMessage()?.contains("missing tensor") == true)
  }

  @Test(arguments: ["module.wte.weight", "_orig_mod.transformer.wte.weight", "transformer._orig_mod.wte.weight"])
  func rejectsDuplicatesByWrapper(_ name: String) throws {
    var tensors = smallTensors
    tensors[name] = [4, 2]
    #expect(
      try safetensors(tensors).write(to: Folder()).errorMessage()
        == "model.safetensors: duplicate tensor: \"wte.weight\" and \"\(name)\"")
  }

  @Test func rejectsLayersBeyondTheLastOfWrappedModels() throws {
    var tensors = smallTensors
    tensors["_orig_mod.transformer.h.1.ln_1.weight"] = [2]
    #expect(
      try safetensors(tensors).write(to: Folder()).errorMessage()
        == #"model.safetensors: unexpected tensor "_orig_mod.transformer.h.1.ln_1.weight": "#
        + "config.json gives 1 as the number of layers")
  }

  /// Tensors that old versions of transformers saved, and those of a model of images.
  @Test func ignoresTensorsThatAreNotWeights() throws {
    let names = [
      "h.0.attn.bias", "h.0.attn.masked_bias", "h.0.attn.rotary_emb.inv_freq", "decoder.version",
      "vision_tower.vision_model.encoder.layers.9.mlp.fc1.weight", "multi_modal_projector.mm_soft_emb_norm.weight",
    ]
    var tensors = smallTensors
    for name in names { tensors[name] = [1] }
    let types = Dictionary(uniqueKeysWithValues: names.map { ($0, ElementType.boolean) })
    let folder = try safetensors(tensors.map { $0 }, types: types).write(to: Folder())
    #expect(try folder.model().weights().map(\.name) == smallTensors.keys.sorted())
  }

  /// Returns a safetensors file with the small model, and a tensor of a type that is unknown.
  private func file(other name: String, _ type: String, _ shape: [Int]) -> Data {
    let (header, size) = safetensorsHeader(smallTensors.filter { $0.key != name })
    let entry = #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(size),\#(size + 3)]}"#
    return safetensors(
      "\(header.dropLast()),\(entry)}", data: (0..<size + 3).map { UInt8($0 & 127) })
  }

  @Test(arguments: ["F4", "F8_E8M0", "C64", "U4", "<new>"]) func ignoresUnusedTensorsOfOtherTypes(_ type: String) throws
  {
    let folder = try file(other: "vision_tower.x", type, [5]).write(to: Folder())
    #expect(try folder.model().weights().map(\.name) == smallTensors.keys.sorted())
  }

  @Test func rejectsUsedTensorsOfOtherTypes() throws {
    let long = String(repeating: "N", count: 1000)
    for (name, shape) in [("wte.weight", [4, 2]), ("ln_f.bias", [2]), ("ln_f.weight", [99])] {
      for (type, text) in [("F4", "F4"), (long, String(repeating: "N", count: 60) + "… (1000 bytes)")] {
        let message = try file(other: name, type, shape).write(to: Folder()).errorMessage()
        #expect(
          message?.hasPrefix(
            "model.safetensors: \"\(name)\" is of type \(text), which is not implemented; F64, F32, F16") == true,
          "\(message ?? "opened")")
      }
    }
  }

  /// A GGUF file with a tensor of a type that is not implemented: the tensor of the model, or another one.
  @Test func rejectsOtherTypesOfGGUF() throws {
    for (number, name, size) in [(9, "Q8_1", 64 * 36), (4711, "number 4711", 96)] {
      let file = GGUFBuilder.llama().with {
        $0.change("blk.1.ffn_up.weight") { ($0.type, $0.size) = (UInt32(number), size) }
      }
      #expect(
        try file.errorMessage()
          == "\"blk.1.ffn_up.weight\" is of type \(name), which is not implemented; \(matrixTypes) are")
      let other = GGUFBuilder.llama().with {
        $0.tensors.append(.init(name: "x", dimensions: [32, 64], type: UInt32(number), size: size))
      }
      #expect(try other.errorMessage() == #"unexpected tensor "x", which is not implemented for a llama model"#)
    }
  }

  /// float64 weights are rounded to float32 when they are read.
  @Test func computesFloat64LikeFloat32() throws {
    for isTied in [true, false] {
      func logits(_ type: ElementType) throws -> [[Float]] {
        let model = try RandomCheckpoint(.init(type: type, isTied: isTied), seed: 3).open().transformer(threads: 2)
        let ids = (0..<40).map { $0 * 7 % 53 }
        var rows: [[Float]] = []
        try model.forward(ids, model.makeCache(), logitsAt: 0..<40) { _, logits in rows.append(Array(logits)) }
        return rows
      }
      // The numbers in float64 differ from those in float32 by less than half a unit in the last place.
      let (wide, narrow) = (try logits(.float64), try logits(.float32))
      #expect(wide.count == 40 && wide.joined().contains { abs($0) > 0.1 })
      for (a, b) in zip(wide.joined(), narrow.joined()) { #expect(abs(a - b) <= 1e-5) }
    }
  }
}
