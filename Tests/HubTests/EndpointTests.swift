import Testing

@testable import Hub

@Suite struct EndpointTests {
  @Test(arguments: [
    ("https://huggingface.co", "https://huggingface.co", ""),
    ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", ""),
    ("https://host/a/b//", "https://host/a/b", ""),
    ("http://[::1]:8080", "http://[::1]:8080", ""),
    ("http://user:pw@[fe80::1%25eth0]", "http://[fe80::1%25eth0]", "user:pw"),
    ("http://user:s3cret@host:1", "http://host:1", "user:s3cret"), ("http://:s3cret@host", "http://host", ":s3cret"),
    ("http://hf_token@host/x", "http://host/x", "hf_token"), ("http://user:p@ss@host", "http://host", "user:p@ss"),
    ("http://user%3As3cret:p%40ss@host", "http://host", "user%3As3cret:p%40ss"),
  ])
  func messagesHideUserInfo(_ text: String, _ description: String, _ userInfo: String) {
    let endpoint = Endpoint(text)
    #expect(endpoint?.description == description)
    #expect(endpoint?.userInfo == userInfo)
    #expect(endpoint.map { text.hasPrefix($0.address) } == true)
  }

  @Test(arguments: [
    "", "host", "ftp://host", "file:///etc", "http://", "http:///x", "http://user@", "http://ho st", "http://h\u{e9}",
    "http://user:a/b@host", "http://user:12/34@host", "http://user:a#b@host", "http://user:a?b@host",
    "http://user:s3cret%40host", "http://user:s3cret", "user:s3cret@host", "http://host?x", "http://host#x",
    "HTTP://host",
  ])
  func rejectsOtherAddresses(_ text: String) { #expect(Endpoint(text) == nil) }

  @Test func hidesSecrets() throws {
    let endpoint = try #require(Endpoint("http://me:p%40ss@host"))
    let secrets = Secrets(token: "hf_token", endpoint)
    #expect(secrets.hidden(in: "me:p%40ss p@ss p%40ss hf_token me") == "*** *** *** *** me")
    #expect(secrets.hidden(in: "Basic me:p@ss") == "Basic ***")
  }

  @Test(arguments: [
    ("no address", "no address"), ("at http://host/x: no", "at http://host/x: no"),
    ("'http://user:a b/c@d@host:1': no", "'http://host:1': no"),
    ("https://a:b@c and http://d:e@f", "https://c and http://f"), ("://@", "://"), ("a@b.c", "a@b.c"),
  ])
  func removesUserInfoFromURLs(_ text: String, _ result: String) {
    #expect(Secrets.withoutUserInfo(text) == result)
  }
}
