import Platform

/// Supplies requests to ``Transfers``.
protocol RequestSource: AnyObject {
  /// Returns the next requests for one process of curl, which makes them in order; empty if there are none at present.
  ///
  /// - Parameters:
  ///   - connections: the number of connections that are open or may be opened.
  ///   - rate: the number of bytes per second that a connection received lately.
  func next(connections: Int, rate: Int) throws(HubError) -> [any BodySink]
  /// Does work that is due, such as the computation of digests.
  ///
  /// - Returns: true if more work is due at once.
  func work() throws(HubError) -> Bool
  /// Called every now and then, at least once a second.
  func report(_ state: TransferState)
}

/// What transfers are doing at present.
enum TransferState {
  case receiving
  /// No data arrived for some seconds.
  case stalled(seconds: Int)
  /// A request is repeated after a pause.
  case waiting(seconds: Int)
}

/// Makes requests, several at a time, and repeats those that fail for a temporary reason.
final class Transfers {
  private let hub: Hub
  private let source: any RequestSource
  private var jobs: [Job] = []
  /// Requests that wait for their next attempt, and its time.
  private var delayed: [(sink: any BodySink, time: Double)] = []
  /// The time until which the hub's rate limit forbids requests.
  private var pauseEnd = 0.0
  private var lastNote = -Double.infinity
  private var lastData = monotonicSeconds()
  private var meter = (time: monotonicSeconds(), count: 0)
  /// The total rate in bytes per second; nil until it is measured.
  private var rate: Double?
  private let buffer = OutputBuffer()

  /// A process of curl and the requests that it still has to finish.
  private final class Job {
    let process: Subprocess
    var reader: ResponseReader
    var sinks: [any BodySink]
    var head: ResponseHead?
    /// `receivedCount` of the first request when it began.
    var before: Int

    init(_ process: Subprocess, _ reader: ResponseReader, _ sinks: [any BodySink]) {
      (self.process, self.reader, self.sinks) = (process, reader, sinks)
      before = sinks.first?.receivedCount ?? 0
    }
  }

  /// More connections help if the server limits the speed of each, and cost processor time otherwise.
  private static let mostConnections = 8
  /// The total rate in bytes per second above which no further connections are opened: the processor then limits the
  /// speed (curl and this process can receive about 500 MB/s on a core).
  private static let highRate = 100e6
  /// The longest pause in seconds that a server can request. The hub's limits hold for windows of 300 seconds.
  private static let longestPause = 900

  private init(_ hub: Hub, _ source: any RequestSource) { (self.hub, self.source) = (hub, source) }

  /// Makes the requests of a source until it has no more.
  static func run(_ source: any RequestSource, _ hub: Hub) throws(HubError) {
    let transfers = Transfers(hub, source)
    do throws(HubError) { try transfers.run() } catch {
      for job in transfers.jobs { job.process.stop() }
      throw error
    }
  }

  private func run() throws(HubError) {
    while true {
      try Interruption.check()
      let hasWork = try source.work()
      removeCancelled()
      try startJobs()
      let now = monotonicSeconds()
      if jobs.isEmpty {
        if hasWork { continue }
        guard let next = delayed.map(\.time).min() else { return }
        source.report(.waiting(seconds: Int((max(next, pauseEnd) - now).rounded(.up))))
        try Subprocess.read([], into: buffer, timeout: min(max(max(next, pauseEnd) - now, 0.01), 0.5)) { _, _ in }
        continue
      }
      let current = jobs
      try Subprocess.read(current.map(\.process), into: buffer, timeout: hasWork ? 0 : 0.2) {
        index, bytes throws(HubError) in try take(bytes, current[index])
      }
      for job in current where job.process.hasClosed { try finish(job) }
      measure()
      let silence = monotonicSeconds() - lastData
      source.report(silence > 5 ? .stalled(seconds: Int(silence)) : .receiving)
    }
  }

  /// Measures the rate, with less weight for older data.
  private func measure() {
    let now = monotonicSeconds()
    guard meter.count > 0, now - meter.time > Self.measuringInterval else { return }
    let last = Double(meter.count) / (now - meter.time)
    rate = rate.map { 0.5 * ($0 + last) } ?? last
    meter = (now, 0)
  }

  /// The number of connections that may be open.
  private var connectionLimit: Int { rate.map { $0 < Self.highRate } ?? false ? Self.mostConnections : 2 }

  /// The interval in seconds, during which a connection to a distant server begins to receive data.
  private static let measuringInterval = 0.2

  private func startJobs() throws(HubError) {
    while jobs.count < connectionLimit {
      let now = monotonicSeconds()
      guard now >= pauseEnd else { return }
      var sinks: [any BodySink] = []
      if let index = delayed.firstIndex(where: { $0.time <= now }) {
        sinks = [delayed.remove(at: index).sink]
      } else {
        let connections = rate == nil ? Self.mostConnections : connectionLimit
        sinks = try source.next(connections: connections, rate: Int((rate ?? 0) / Double(max(jobs.count, 1))))
      }
      guard !sinks.isEmpty else { return }
      let requests = sinks.map { Curl.Request(url: hub.endpoint.address + $0.address, range: $0.range) }
      let (process, reader) = try hub.curl.start(requests)
      jobs.append(Job(process, reader, sinks))
    }
  }

  private func removeCancelled() {
    delayed.removeAll { $0.sink.isCancelled }
    for job in jobs where job.sinks.count == 1 && job.sinks[0].isCancelled {
      job.process.stop()
      jobs.removeAll { $0 === job }
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, _ job: Job) throws(HubError) {
    lastData = monotonicSeconds()
    if meter.count == 0 { meter.time = lastData }  // the time until the first byte says nothing about the rate
    meter.count += bytes.count
    try job.reader.take(bytes) { event throws(HubError) in
      guard let sink = job.sinks.first else { return }
      switch event {
      case .head(let head):
        job.head = head
        hub.hasResponded = true
        if head.status == 200 || head.status == 206, !sink.isCancelled { try sink.begin(head) }
      case .body(let bytes):
        if let head = job.head, head.status == 200 || head.status == 206, !sink.isCancelled { try sink.append(bytes) }
      case .end(let report):
        job.sinks.removeFirst()
        let head = job.head
        job.head = nil
        try finish(sink, head, report, madeProgress: sink.receivedCount > job.before)
        job.before = job.sinks.first?.receivedCount ?? 0
      }
    }
  }

  /// Handles the end of a process. Requests that it has not finished are repeated.
  private func finish(_ job: Job) throws(HubError) {
    jobs.removeAll { $0 === job }
    let status = job.process.wait()
    try Interruption.check()
    guard let sink = job.sinks.first else { return }
    if job.head != nil, !sink.isCancelled { try sink.end(bodySize: .max, isWhole: false) }
    let problem = job.process.reason.isEmpty ? "curl exited with status \(status ?? -1)" : job.process.reason
    // curl reports each transfer, so it was killed or could not begin.
    let isKilled = (status ?? 128) >= 128
    guard isKilled || sink.receivedCount > job.before else {
      throw HubError(.unavailable, "\(hub.endpoint) cannot be reached: \(hub.secrets.hidden(in: problem))")
    }
    try retry(sink, problem, madeProgress: sink.receivedCount > job.before)
    for sink in job.sinks.dropFirst() { delayed.append((sink, 0)) }
  }

  // MARK: results

  private static let temporaryStatuses: Set = [408, 429, 500, 502, 503, 504]

  /// Handles the end of a transfer.
  private func finish(
    _ sink: any BodySink, _ head: ResponseHead?, _ report: TransferReport, madeProgress: Bool
  ) throws(HubError) {
    guard !sink.isCancelled else { return }
    let isBody = head.map { $0.status == 200 || $0.status == 206 } ?? false
    if isBody { try sink.end(bodySize: report.bodySize, isWhole: report.exitCode == 0) }
    guard !sink.isComplete else { return }
    guard let head, report.exitCode == 0 else { return try failed(sink, report, madeProgress: madeProgress) }
    if isBody {
      // A server may send fewer bytes of a range than requested.
      guard madeProgress else { throw HubError(.badData, "\(hub.host(report)) sent no data for a range of a file") }
      return delayed.append((sink, 0))
    }
    if head.status == 416, sink.range != nil {
      try sink.refuseRange()
      return delayed.append((sink, 0))
    }
    if [401, 403, 404].contains(head.status), hub.follow(report) { return delayed.append((sink, 0)) }
    let problem =
      "\(hub.host(report)) returned status \(head.status)" + (head.status == 429 ? ", too many requests" : "")
    let isStorage = !hub.isHub(report.host)
    // A signed address of the storage is valid for a limited time; the hub gives a new one to each request.
    let isExpired = isStorage && [401, 403].contains(head.status) && head.fields["x-error-code"] == nil
    guard Self.temporaryStatuses.contains(head.status) || isExpired else {
      throw hub.refusal(head, report.host, of: sink)
    }
    let seconds = head.secondsToWait
    if let seconds, seconds > Self.longestPause {
      throw HubError(.unavailable, "\(problem); the server asks to retry after \(seconds) s")
    }
    try retry(sink, problem, after: seconds, isLimit: head.status == 429, madeProgress: madeProgress)
  }

  /// Handles a failure of curl.
  private func failed(_ sink: any BodySink, _ report: TransferReport, madeProgress: Bool) throws(HubError) {
    let code = report.exitCode
    let message = report.message.isEmpty ? "curl exited with status \(code)" : report.message
    let problem = hub.secrets.hidden(in: Secrets.withoutUserInfo(message))
    if report.connectStatus >= 400 {
      throw HubError(.unavailable, Self.proxyRefusal(report.connectStatus))
    }
    if CurlFailure.proxies.contains(code) {
      throw HubError(.unavailable, "the proxy in the environment (https_proxy, http_proxy, all_proxy): \(problem)")
    }
    if CurlFailure.certificates.contains(code) {
      throw HubError(
        .unavailable, "\(hub.host(report)): \(problem)", hint: "; \(CurlFailure.certificateHint)")
    }
    if CurlFailure.brokenConnections.contains(code) {
      hub.hasResponded = true
    } else if !(hub.hasResponded && CurlFailure.failedConnections.contains(code)) {
      throw HubError(
        .unavailable, "\(hub.host(report)) cannot be reached: \(problem)",
        hint: " (lm-pull smollm2-135m uses a package index instead)")
    }
    try retry(sink, problem, madeProgress: madeProgress)
  }

  static func proxyRefusal(_ status: Int) -> String {
    "the proxy in the environment (https_proxy, http_proxy, all_proxy) refuses the connection with status \(status)"
      + (status == 407 ? "; its URL needs a user name and a password: http://USER:PASSWORD@HOST:PORT" : "")
  }

  /// Schedules the next attempt of a request, or throws if it has failed too often.
  ///
  /// - Parameters:
  ///   - seconds: the time to wait that the server states.
  ///   - isLimit: true for a limit of all requests.
  private func retry(
    _ sink: any BodySink, _ problem: String, after seconds: Int? = nil, isLimit: Bool = false, madeProgress: Bool
  ) throws(HubError) {
    let now = monotonicSeconds()
    if madeProgress { sink.failures = 0 }
    guard !madeProgress else {
      if now - lastNote > 10 {
        hub.note("\(problem); resuming")
        lastNote = now
      }
      return delayed.append((sink, now))
    }
    guard sink.failures < hub.retries else {
      throw HubError(
        .unavailable, "\(problem); tried \(hub.retries + 1) \(hub.retries == 0 ? "time" : "times")")
    }
    let pause = max(1 << min(sink.failures, 4), seconds ?? 0)
    sink.failures += 1
    if now - lastNote > 1 || isLimit && now >= pauseEnd {
      hub.note(isLimit ? "\(problem); waiting \(pause) s" : "\(problem); retrying in \(pause) s")
      lastNote = now
    }
    delayed.append((sink, now + Double(pause)))
    if isLimit { pauseEnd = max(pauseEnd, now + Double(pause)) }
  }
}

/// Requests whose bodies are kept in memory.
final class MemoryRequests: RequestSource {
  private var sinks: [MemorySink]
  private let showState: (TransferState) -> Void

  init(_ sinks: [MemorySink], _ showState: @escaping (TransferState) -> Void = { _ in }) {
    (self.sinks, self.showState) = (sinks, showState)
  }

  func next(connections: Int, rate: Int) -> [any BodySink] {
    defer { sinks = [] }
    return sinks
  }

  func work() -> Bool { false }

  func report(_ state: TransferState) { showState(state) }
}
