// Budgets of questions: they run out, fill again, and never grow the server.

import Testing
import Verification

@Suite struct QuestionBudgets {
    private let client = ClientAddress.ipv4(1)

    @Test func runsOutAndFillsAgain() {
        var budget = QuestionBudget()
        for _ in 0..<60 { #expect(budget.ask(client, perMinute: 60, now: 0) == .admitted) }
        #expect(budget.ask(client, perMinute: 60, now: 0) == .refused)
        #expect(budget.ask(client, perMinute: 60, now: 0.5) == .refused)
        #expect(budget.ask(client, perMinute: 60, now: 1.5) == .admitted)
        #expect(budget.ask(client, perMinute: 60, now: 1.5) == .refused)
        // After a minute it is full, and no fuller than that.
        for _ in 0..<60 { #expect(budget.ask(client, perMinute: 60, now: 1000) == .admitted) }
        #expect(budget.ask(client, perMinute: 60, now: 1000) == .refused)
    }

    @Test func closesAfterManyRefusals() {
        var budget = QuestionBudget()
        #expect(budget.ask(client, perMinute: 1, now: 0) == .admitted)
        for _ in 0..<QuestionBudget.patience { #expect(budget.ask(client, perMinute: 1, now: 0) == .refused) }
        #expect(budget.ask(client, perMinute: 1, now: 0) == .closed)
        #expect(budget.ask(client, perMinute: 1, now: 60) == .admitted)
        #expect(budget.ask(client, perMinute: 1, now: 60) == .refused)
    }

    /// A long walk counts for many questions, but nobody is kept out for longer than two minutes for one.
    @Test func longWalksAreCharged() {
        var budget = QuestionBudget()
        #expect(budget.ask(client, perMinute: 60, now: 0) == .admitted)
        budget.charge(client, questions: 50, perMinute: 60, now: 0)
        for _ in 0..<9 { #expect(budget.ask(client, perMinute: 60, now: 0) == .admitted) }
        #expect(budget.ask(client, perMinute: 60, now: 0) == .refused)
        budget.charge(client, questions: 1_000_000, perMinute: 60, now: 0)
        #expect(budget.ask(client, perMinute: 60, now: 60.5) == .refused)
        #expect(budget.ask(client, perMinute: 60, now: 62) == .admitted)
        #expect(budget.ask(.ipv4(2), perMinute: 60, now: 0) == .admitted)
    }

    @Test func clientsAreApart() {
        var budget = QuestionBudget()
        #expect(budget.ask(client, perMinute: 1, now: 0) == .admitted)
        #expect(budget.ask(.ipv4(2), perMinute: 1, now: 0) == .admitted)
        #expect(budget.ask(.unixSocket, perMinute: 1, now: 0) == .admitted)
        #expect(budget.ask(client, perMinute: 1, now: 0) == .refused)
    }

    @Test(arguments: [0, 1])
    func floodsAreForgotten(_ perMinute: Int) {
        var budget = QuestionBudget()
        for number in 0..<UInt32(QuestionBudget.clients * 3) {
            _ = budget.ask(.ipv4(number), perMinute: perMinute, now: Double(number) / 100_000)
            if number % 10_000 == 0 { #expect(budget.count <= QuestionBudget.clients) }
        }
    }

    /// A client in debt is remembered until that is paid, whoever else is forgotten.
    @Test func debtsAreRemembered() {
        var budget = QuestionBudget()
        for number in 0..<UInt32(QuestionBudget.clients) { _ = budget.ask(.ipv4(number), perMinute: 60, now: 0) }
        budget.charge(client, questions: 1000, perMinute: 60, now: 0)
        #expect(budget.ask(.unixSocket, perMinute: 60, now: 61) == .admitted)
        #expect(budget.count == 2)
        #expect(budget.ask(client, perMinute: 60, now: 61.5) == .admitted)
        #expect(budget.ask(client, perMinute: 60, now: 61.5) == .refused)
    }

    @Test func theClockMayStandStill() {
        var budget = QuestionBudget()
        #expect(budget.ask(client, perMinute: 1, now: 10) == .admitted)
        #expect(budget.ask(client, perMinute: 1, now: 5) == .refused)
    }

    /// A host has a whole /64 to ask from.
    @Test func anIPv6NetworkIsOneClient() {
        var budget = QuestionBudget()
        #expect(budget.ask(.ipv6(7, 1), perMinute: 1, now: 0) == .admitted)
        #expect(budget.ask(.ipv6(7, 2), perMinute: 1, now: 0) == .refused)
        #expect(budget.ask(.ipv6(8, 1), perMinute: 1, now: 0) == .admitted)
    }
}
