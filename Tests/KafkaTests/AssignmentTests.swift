import Testing

@testable import Kafka

@Suite struct AssignmentTests {
    private let a0 = TopicPartition("a", 0)
    private let a2 = TopicPartition("a", 2)
    private let b1 = TopicPartition("b", 1)

    @Test func `the next offset is in order and another one is a jump`() {
        var assignment = Assignment()
        assignment.begin()
        assignment.place([(a0, 0, 5), (b1, 1, nil)])
        #expect(assignment.advance(topic: 0, partition: 0, offset: 5) == .inOrder)
        #expect(assignment.advance(topic: 0, partition: 0, offset: 9) == .jump(expected: 6))
        #expect(assignment.advance(topic: 0, partition: 0, offset: 2) == .jump(expected: 10))
        #expect(assignment.advance(topic: 1, partition: 1, offset: 77) == .inOrder)
        #expect(assignment.reachEnd(topic: 1, partition: 1, offset: 78) == .inOrder)
        #expect(assignment.reachEnd(topic: 1, partition: 1, offset: 80) == .jump(expected: 78))
        #expect(assignment.position(topic: 1, partition: 1) == 80)
    }

    @Test func `messages of partitions not held are told apart`() {
        var assignment = Assignment()
        assignment.place([(a2, 0, 0)])
        #expect(assignment.advance(topic: 0, partition: 0, offset: 0) == .unassigned)
        #expect(assignment.advance(topic: 0, partition: 3, offset: 0) == .unassigned)
        #expect(assignment.advance(topic: 4, partition: 0, offset: 0) == .unassigned)
        #expect(assignment.advance(topic: 0, partition: -1, offset: 0) == .unassigned)
    }

    @Test func `a revocation keeps the positions of the others`() {
        var assignment = Assignment()
        assignment.place([(a0, 0, 1), (a2, 0, 2), (b1, 1, 3)])
        let before = assignment.epoch
        assignment.remove([a0, TopicPartition("c", 9)])
        #expect(assignment.epoch == before + 1)
        #expect(assignment.partitions == [a2, b1])
        #expect(assignment.advance(topic: 0, partition: 0, offset: 1) == .unassigned)
        #expect(assignment.position(topic: 0, partition: 2) == 2)
        #expect(assignment.advance(topic: 1, partition: 1, offset: 3) == .inOrder)
        assignment.place([(a0, 0, 40)])
        #expect(assignment.position(topic: 0, partition: 0) == 40)
        #expect(assignment.position(topic: 0, partition: 2) == 2)
    }

    @Test func `placing a held partition again moves it`() {
        var assignment = Assignment()
        assignment.place([(a0, 0, 1)])
        assignment.place([(a0, 0, 8)])
        #expect(assignment.partitions == [a0])
        #expect(assignment.position(topic: 0, partition: 0) == 8)
    }
}
