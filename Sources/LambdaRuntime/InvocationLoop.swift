package import Logging

/// What a function does with events.
package protocol InvocationHandler: Sendable {
    /// Answers an event.
    ///
    /// - Throws: an event that it can not answer.
    func handle(_ invocation: Invocation) async throws(InvocationFailure) -> InvocationAnswer

    /// The small answer that goes out in place of one that is larger than Lambda carries.
    func answerInsteadOfTooLarge(_ invocation: Invocation) -> [UInt8]
}

/// Takes one event after the other from the Runtime API and answers each, for as long as the process lives.
package struct InvocationLoop: Sendable {
    /// The largest answer that is not streamed, in bytes, as the Runtime API counts it (6 MB and a little).
    package static let answerBytesMaximum = 6_291_556

    private let api: any RuntimeAPI
    private let handler: any InvocationHandler
    private let logger: Logger

    /// Makes a loop.
    package init(api: any RuntimeAPI, handler: any InvocationHandler, logger: Logger) {
        self.api = api
        self.handler = handler
        self.logger = logger
    }

    /// Runs until the task is cancelled; an invocation under way is answered first.
    ///
    /// - Throws: `unreachable` or `broken`: the process is to end, so that the environment starts a new one.
    package func run() async throws(RuntimeAPIError) {
        while !Task.isCancelled {
            let invocation: Invocation
            do {
                invocation = try await api.next()
            } catch {
                if error.code == .cancelled { return }
                throw error
            }
            // In a task of its own: the cancellation that ends the loop must not cut an answer off.
            let answering = Task { await answered(invocation) }  // tidy: allow it is awaited at once
            try check(await answering.value, invocation)
        }
    }

    private func answered(_ invocation: Invocation) async -> Result<Void, RuntimeAPIError> {
        await Invocation.$currentID.withValue(invocation.id) {
            let result: Result<Void, RuntimeAPIError>
            do throws(RuntimeAPIError) {
                result = .success(try await send(outcome(of: invocation), for: invocation))
            } catch {
                result = .failure(error)
            }
            return result
        }
    }

    private func check(
        _ result: Result<Void, RuntimeAPIError>, _ invocation: Invocation
    ) throws(RuntimeAPIError) {
        guard case .failure(let error) = result else { return }
        logger.error(
            "the answer was not taken", metadata: ["error": "\(error.message)", "invocation": "\(invocation.id)"])
        switch error.code {
        // This invocation is lost, the next one need not be.
        case .refused, .tooLarge: return
        case .unreachable, .broken, .cancelled: throw error
        }
    }

    private func outcome(of invocation: Invocation) async -> Result<InvocationAnswer, InvocationFailure> {
        do throws(InvocationFailure) {
            return .success(try await handler.handle(invocation))
        } catch {
            return .failure(error)
        }
    }

    private func send(
        _ outcome: Result<InvocationAnswer, InvocationFailure>, for invocation: Invocation
    ) async throws(RuntimeAPIError) {
        switch outcome {
        case .success(.whole(let bytes)) where bytes.count > Self.answerBytesMaximum:
            logger.error("the answer is too large", metadata: ["bytes": "\(bytes.count)"])
            try await api.respond(handler.answerInsteadOfTooLarge(invocation), to: invocation.id)
        case .success(.whole(let bytes)):
            do throws(RuntimeAPIError) {
                try await api.respond(bytes, to: invocation.id)
            } catch {
                guard error.code == .tooLarge else { throw error }
                logger.error("the answer is too large", metadata: ["bytes": "\(bytes.count)"])
                try await api.respond(handler.answerInsteadOfTooLarge(invocation), to: invocation.id)
            }
        case .success(.stream(let prelude, let body)):
            try await api.stream(to: invocation.id) { stream in
                // Eight zero bytes end the head (API Gateway Developer Guide, "Set up a Lambda proxy integration with
                // payload response streaming").
                try await stream.write(prelude + [UInt8](repeating: 0, count: 8))
                try await body(stream)
            }
        case .failure(let failure):
            logger.error("the event was refused", metadata: ["type": "\(failure.type)", "error": "\(failure.message)"])
            try await api.fail(failure, id: invocation.id)
        }
    }
}
