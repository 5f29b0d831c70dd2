import Foundation
import Testing

/// File names that are not UTF-8. Next to each file is one whose name has U+FFFD for the invalid bytes, to detect lossy
/// conversions.
@Suite(.enabled(if: ByteNames.arePossible, ByteNames.requirement))
struct FileNameTests {
  private func run(_ script: String, environment: [String: String] = [:]) throws -> Programs.Result {
    let folder = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try Programs.shell(script, environment: environment, in: folder)
  }

  @Test func operandsCanBeAnyBytes() throws {
    let result = try run(
      #"""
      echo '[1]' > $'x\xff'; echo '[2]' > $'x\xef\xbf\xbd'
      lm-step --cache $'c\xe9' $'x\xff' | jq -c .ids[0]; lm-step $'x\xef\xbf\xbd' | jq -c .ids[0]
      [ -s $'c\xe9' ] && echo 'not a cache' > $'d\xe9' && lm-step --cache $'d\xe9' $'x\xff' | jq -c .ids[0]
      bpe-encode $'no\xe9\e[31m' > /dev/null; echo $?
      echo nonsense > $'y\xe9'; lm-step $'y\xe9' > /dev/null; echo $?
      lm-step $'--caf\xe9' > /dev/null; echo $?
      ls | wc -l
      """#)
    #expect(result.text == "1\n2\n1\n66\n65\n64\n5\n")
    let errors = result.errors.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(errors.count == 6 && errors[0].hasPrefix(#"lm-step: d\xE9: "#), "\(result.errors)")
    #expect(errors[1] == #"bpe-encode: no\xE9\u{1B}[31m: No such file or directory"#)
    #expect(errors[2].hasPrefix(#"lm-step: y\xE9:1: "#))
    #expect(errors[3] == #"lm-step: unknown option '--caf\xE9'"#)
  }

  @Test func modelPathsCanBeAnyBytes() throws {
    let result = try run(
      #"""
      cp -r "$CHECKOUT/Models/wren" $'m\xe9'; mkdir $'m\xef\xbf\xbd'
      expected=$(echo word | bpe-encode | lm-logits | cksum)
      [ "$(echo word | bpe-encode -m $'m\xe9' | lm-logits -m $'m\xe9/' | cksum)" = "$expected" ] && echo option
      export LM_MODEL=$'m\xe9'
      [ "$(echo word | bpe-encode | lm-logits | cksum)" = "$expected" ] && echo variable
      lm-info | grep '^model\|^file'; lm-info --json | jq -r '.model, .files[]'
      mkdir $'g\xe9'; cp "$CHECKOUT/Tests/LanguageModelTests/Fixtures/models/qwen3.Q8_0.gguf" $'g\xe9/\xff.gguf'
      echo '[1]' | lm-logits -m $'g\xe9' | wc -l
      rm $'m\xe9/model.safetensors'; lm-info 2>&1; echo $?
      """#)
    #expect(
      result.text
        == #"""
        option
        variable
        model           m\xE9
        file            m\xE9/model.safetensors
        m\xE9
        m\xE9/model.safetensors
        1
        lm-info: m\xE9: no model.safetensors or model.safetensors.index.json
        66

        """#, "\(result.errors)")
  }

  @Test func hubCachePathsCanBeAnyBytes() throws {
    let result = try run(
      #"""
      snapshot=$'h\xe9/hub/models--org--m\xe9/snapshots/\xe9'
      mkdir -p "${snapshot%/*}" "${snapshot%/*/*}/refs"; cp -r "$CHECKOUT/Models/wren" "$snapshot"
      printf '\xe9\n' > "${snapshot%/*/*}/refs/main"
      unset HF_HUB_CACHE
      HF_HOME=$'h\xe9' lm-info -m $'org/m\xe9' | grep ^model
      HF_HUB_CACHE=$'h\xe9/hub' lm-info --list
      mkdir -p $'u\xe9/.cache'; mv $'h\xe9' $'u\xe9/.cache/huggingface'
      HOME=$'u\xe9' lm-info -m $'org/m\xe9' | grep ^model
      HOME=$'u\xe9' lm-info -m org/none 2>&1 | cut -d ';' -f 1
      """#)
    #expect(
      result.text
        == #"""
        model           org/m\xE9
        org/m\xE9
        wren
        model           org/m\xE9
        lm-info: org/none: no such folder, and no model of this name in the hub cache (u\xE9/.cache/huggingface/hub)

        """#, "\(result.errors)")
  }

  @Test func installPrefixCanBeAnyBytes() throws {
    let result = try run(
      #"""
      mkdir -p $'p\xe9/bin' $'p\xe9/share/lmpipe'; cp "$(command -v bpe-encode)" $'p\xe9/bin'
      cp -r "$CHECKOUT/Models/wren" $'p\xe9/share/lmpipe'
      echo word | $'p\xe9/bin/bpe-encode' | jq -c .text
      rm -r $'p\xe9/share'; echo word | $'p\xe9/bin/bpe-encode' 2>&1 | grep -c 'p\\xE9/share/lmpipe/wren'
      """#)
    #expect(result.text == "\"word\"\n1\n", "\(result.errors)")
  }

  /// A single token can be part of a character.
  @Test func stopTextsCanBeAnyBytes() throws {
    let result = try run(
      #"""
      prompt() { echo 'Once upon a time' | bpe-encode -z; }
      bytes=$(prompt | lm-step -n 3 | bpe-decode -n | tail -c 2)
      prompt | lm-step -n 9 --stop "$bytes" | jq -r '.done'
      printf '{"ids":[%s],"logits":%s}' "$(printf '\xe9' | bpe-encode -z | jq .ids[0])" \
        "$(jq -nc --argjson n "$(lm-info --json | jq .vocab_size)" --argjson i "$(printf '\xe9' | bpe-encode -z | jq .ids[0])" '[range($n) | if . == $i then 9 else 0 end]')" > r
      lm-step --stop $'\xe9' r | jq -r .done; lm-step --stop $'\xef\xbf\xbd' r | jq -r .done
      """#)
    #expect(result.text == "stop\nstop\nnull\n", "\(result.errors)")
  }

  @Test(
    .enabled(if: HubServer.canRun, HubServer.requirement),
    arguments: [
      #"HF_HUB_CACHE=$'hub\xe9'"#, #"HF_HUB_CACHE=$PWD/$'hub\xe9/x'"#, #"HF_HUB_CACHE= HF_HOME=$PWD/$'hub\xe9'"#,
      #"HF_HUB_CACHE= HF_HOME= XDG_CACHE_HOME=$'hub\xe9'"#,
    ])
  func downloadsIntoACacheWithAnyPath(_ environment: String) throws {
    let hub = try HubServer()
    let result = try hub.shell(
      #"""
      model=$PWD/models/acme/tiny; mkdir $'work\xe9' $'work\xef\xbf\xbd'; cd $'work\xe9'
      export \#(environment) PATH=$PATH:$'/caf\xe9'
      folder=$(lm-pull acme/tiny); echo $?; cmp "$folder/model.safetensors" $model/model.safetensors; echo $?
      lm-pull --verify acme/tiny | cmp - <(echo "$folder"); lm-info -m acme/tiny --json | jq -r .model
      lm-pull $'acme/caf\xe9'; echo $?; ls | grep -c hub; ls ../$'work\xef\xbf\xbd'
      """#)
    #expect(result.text == "0\n0\nacme/tiny\n64\n1\n", "\(result.text)\(result.errors)")
    #expect(result.errors.contains(#""acme/caf\xE9""#), "\(result.errors)")
  }
}

private enum ByteNames {
  static let arePossible =
    (try? Programs.shell(#"touch "$TEST/"$'\xe9'"#, environment: ["TEST": NSTemporaryDirectory()]))?.status == 0
  static let requirement: Comment = "NOT TESTED: file names that are not UTF-8 (needs a file system that allows them)"
}

/// Systems without /proc, or without access to it, such as a chroot.
@Suite(.enabled(if: Jail.isPossible, Jail.requirement))
struct JailTests {
  private func run(_ script: String) throws -> Programs.Result {
    let folder = try Programs.newFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try Programs.shell(script, in: folder)
  }

  @Test func pipelinesRunWithoutProc() throws {
    let result = try run(
      #"""
      mkdir -p root/bin root/share/lmpipe root/dev; touch root/dev/null; cp -r "$CHECKOUT/Models/wren" root/share/lmpipe
      tools='bpe-encode bpe-decode lm-logits lm-topk lm-step lm-info'
      for tool in $tools; do cp "$(command -v $tool)" root/bin; done
      jail() { unshare --map-root-user chroot root "$@"; }
      for tool in $tools; do jail /bin/$tool --version | grep -c "^$tool (lmpipe)"; done | uniq -c | tr -d ' '
      echo 'Once upon a time' > text
      bpe-encode text | lm-step -n 5 --cache c | bpe-decode > expected
      jail /bin/bpe-encode < text | jail /bin/lm-step -n 5 --cache c | jail /bin/bpe-decode | cmp - expected; echo ${PIPESTATUS[*]}
      jail /bin/bpe-encode < text | jail /bin/lm-logits | jail /bin/lm-topk -t | wc -l
      jail /bin/bpe-encode --no-such-option > /dev/null; echo $?
      """#)
    #expect(result.text == "61\n0 0 0 0\n12\n64\n", "\(result.errors)")
    #expect(result.errors.hasPrefix("bpe-encode: unknown option '--no-such-option'\n"))
  }

  @Test func parsesTheCommandLineWithoutProc() throws {
    let result = try run(
      #"""
      mask='mount --bind /dev/null /proc/$$/maps && exec'
      unshare --map-root-user --mount bash -c "$mask bpe-encode --version" | cut -d ' ' -f 1
      unshare --map-root-user --mount bash -c "$mask bpe-encode --no-such-option" > /dev/null; echo $?
      bash -c 'ulimit -n 3; exec bpe-encode --no-such-option' > /dev/null; echo $?
      """#)
    #expect(result.text == "bpe-encode\n64\n64\n", "\(result.errors)")
  }
}

private enum Jail {
  static let isPossible =
    (try? Programs.shell(
      "unshare --map-root-user chroot / true && unshare --map-root-user --mount bash -c 'mount --bind /dev/null /proc/$$/maps'"
    ))?
    .status == 0 && Programs.canLimitFiles
  static let requirement: Comment =
    "NOT TESTED: a system without /proc (needs the permission to change the root and to mount)"
}
