import ChatTemplate
import Testing
@Test func x() {}
