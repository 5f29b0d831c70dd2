import Testing

@testable import LanguageModel

@Suite struct WorkspaceTests {
  /// Passes that request matrices of other shapes than the passes before them.
  @Test func matricesOfAPassDoNotOverlap() {
    let workspace = Workspace()
    for pass in 0..<200 {
      workspace.reset()
      var matrices: [Matrix] = []
      for request in 0..<1 + pass * 7 % 11 {
        let matrix = workspace.matrix(pass * (request + 3) % 17, 1 + pass * 5 * (request + 1) % 40)
        for index in 0..<matrix.rows * matrix.columns { matrix.start[index] = Float(request) }
        matrices.append(matrix)
      }
      for (request, matrix) in matrices.enumerated() {
        #expect(UInt(bitPattern: matrix.start) % 64 == 0)
        #expect((0..<matrix.rows * matrix.columns).allSatisfy { matrix.start[$0] == Float(request) })
      }
    }
  }

  /// A sequence of longer and longer batches takes the memory of the longest.
  @Test func replacesBlocksThatAreTooSmall() {
    let workspace = Workspace()
    for rows in 1...300 {
      workspace.reset()
      for _ in 0..<4 { _ = workspace.matrix(rows, 16) }
    }
    #expect(workspace.size <= 4 * 300 * 64)
  }
}
