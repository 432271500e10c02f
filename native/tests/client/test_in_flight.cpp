#include <doctest/doctest.h>

#include "client/in_flight.h"
#include "client/send_buffer.h"
#include "client/spsc_queue.h"

using namespace cluster;

namespace {

/// Adds `count` orders and marks them sent.
void send(InFlight& table, int count) {
    for (int i = 0; i < count; ++i) {
        table.add(i, nullptr, 32);
        table.mark_sent(i);
    }
}

}  // namespace

TEST_CASE("a table takes as many waiting orders as its limit") {
    InFlight table(3);
    send(table, 2);
    CHECK_FALSE(table.full());
    send(table, 1);
    CHECK(table.full());
    table.settle(table.slot(1), OrderState::kAnswered);
    CHECK_FALSE(table.full());
}

TEST_CASE("answers out of order keep the oldest waiting order the oldest") {
    InFlight table(8);
    send(table, 4);
    table.settle(table.slot(2), OrderState::kAnswered);
    CHECK(table.oldest() == 0);
    table.settle(table.slot(0), OrderState::kAnswered);
    CHECK(table.oldest() == 1);
    table.settle(table.slot(1), OrderState::kAnswered);
    CHECK(table.oldest() == 3);
    CHECK(table.is_waiting(3));
    CHECK_FALSE(table.is_waiting(2));
    CHECK_FALSE(table.is_waiting(0));
}

TEST_CASE("an order that stays unanswered holds back the connection after four tables of others") {
    InFlight table(4);
    send(table, 1);
    for (std::uint64_t sequence = 1; sequence < 16; ++sequence) {
        REQUIRE_FALSE(table.full());
        send(table, 1);
        table.settle(table.slot(sequence), OrderState::kAnswered);
    }
    CHECK(table.full());
    table.settle(table.slot(0), OrderState::kTimedOut);
    CHECK_FALSE(table.full());
}

TEST_CASE("the first answer to a timed-out order is late, the next is a duplicate") {
    InFlight table(4);
    send(table, 2);
    table.settle(table.slot(0), OrderState::kTimedOut);
    table.settle(table.slot(1), OrderState::kAnswered);
    CHECK_FALSE(table.is_late(1));
    CHECK(table.is_late(0));
    CHECK_FALSE(table.is_late(0));
}

TEST_CASE("an answer whose slot serves another order is late while a timed-out one is missing") {
    InFlight table(1);
    send(table, 1);
    table.settle(table.slot(0), OrderState::kTimedOut);
    for (std::uint64_t sequence = 1; sequence < 9; ++sequence) {
        send(table, 1);
        table.settle(table.slot(sequence), OrderState::kAnswered);
    }
    CHECK(table.is_late(0));
    CHECK_FALSE(table.is_late(0));
}

TEST_CASE("a send buffer keeps what is not consumed, in one piece") {
    SendBuffer buffer(8);
    CHECK(buffer.empty());
    std::memcpy(buffer.reserve(6), "abcdef", 6);
    buffer.commit(6);
    buffer.consume(4);
    CHECK_FALSE(buffer.has_room(7));
    CHECK(buffer.has_room(6));
    std::memcpy(buffer.reserve(6), "ghijkl", 6);
    buffer.commit(6);
    const auto pending = buffer.pending();
    CHECK(std::string(reinterpret_cast<const char*>(pending.data()), pending.size()) == "efghijkl");
    buffer.consume(8);
    CHECK(buffer.empty());
}

TEST_CASE("a queue gives back what it was given, in order, and is bounded") {
    SpscQueue<int, 4> queue;
    int value = 0;
    CHECK_FALSE(queue.pop(value));
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 4; ++i) CHECK(queue.push(i));
        CHECK_FALSE(queue.push(9));
        for (int i = 0; i < 4; ++i) {
            CHECK(queue.pop(value));
            CHECK(value == i);
        }
    }
}
