#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "bench/orderwire_codec.h"
#include "client/order_flow.h"
#include "tests/client/virtual_run.h"

using namespace cluster;
using protocol::Decoded;
using protocol::DecodeStatus;
using protocol::Meaning;

namespace {

WireCodec codec() {
    return {test::orderwire_plan(), Random(1), {}};
}

/// The message for an intent whose id is `id`, as on a connection that counts from 1.
template <class Message>
Message encoded_as(const Intent& intent, std::uint64_t id, std::uint64_t target_id) {
    WireCodec wire = codec();
    std::vector<std::byte> out(wire.room());
    REQUIRE(wire.encode(intent, id - 1, target_id - 1, out.data()) == sizeof(Message));
    Message message;
    std::memcpy(&message, out.data(), sizeof message);
    CHECK(message.header.length == sizeof(Message));
    return message;
}

template <class Message>
std::vector<std::byte> bytes_of(const Message& message) {
    std::vector<std::byte> bytes(sizeof message);
    std::memcpy(bytes.data(), &message, sizeof message);
    return bytes;
}

orderwire::ReplyHeader reply_of(orderwire::Type type, std::uint8_t detail = 0) {
    return {
        {static_cast<std::uint16_t>(orderwire::length_of(type)), type, detail, 3}, 42, 100, 250};
}

/// One whole message of each kind of reply, with what it must be read as.
std::vector<std::pair<std::vector<std::byte>, Meaning>> every_reply() {
    return {
        {bytes_of(reply_of(orderwire::Type::kAccepted)), Meaning::kAccepted},
        {bytes_of(reply_of(orderwire::Type::kRejected, 2)), Meaning::kRejected},
        {bytes_of(orderwire::Executed{reply_of(orderwire::Type::kExecuted), 5, 6, 7}),
         Meaning::kExecuted},
        {bytes_of(orderwire::Cancelled{reply_of(orderwire::Type::kCancelled, 0), 5, {}}),
         Meaning::kAccepted},
        {bytes_of(orderwire::Cancelled{reply_of(orderwire::Type::kCancelled, 1), 5, {}}),
         Meaning::kCancelled},
    };
}

}  // namespace

TEST_CASE("a new order carries all its fields") {
    const Intent intent{
        123, 45, 6, 0, Action::kNew, OrderKind::kImmediateOrCancel, OrderSide::kSell};
    const auto message = encoded_as<orderwire::New>(intent, 9, 0);
    CHECK(message.header.type == orderwire::Type::kNew);
    CHECK(message.header.detail ==
          static_cast<std::uint8_t>(orderwire::OrderType::kImmediateOrCancel));
    CHECK(message.header.symbol == 6);
    CHECK(message.order_id == 9);
    CHECK(message.price_ticks == 123);
    CHECK(message.quantity == 45);
    CHECK(message.side == orderwire::Side::kSell);
}

TEST_CASE("a replace names the order it replaces") {
    const Intent intent{123, 45, 6, 2, Action::kReplace, OrderKind::kLimit, OrderSide::kBuy};
    const auto message = encoded_as<orderwire::Replace>(intent, 9, 7);
    CHECK(message.header.type == orderwire::Type::kReplace);
    CHECK(message.header.detail == 0);
    CHECK(message.order_id == 9);
    CHECK(message.target_id == 7);
    CHECK(message.price_ticks == 123);
    CHECK(message.quantity == 45);
}

TEST_CASE("a cancel names the order it cancels") {
    const Intent intent{0, 0, 6, 2, Action::kCancel, OrderKind::kMarket, OrderSide::kBuy};
    const auto message = encoded_as<orderwire::Cancel>(intent, 9, 7);
    CHECK(message.header.type == orderwire::Type::kCancel);
    CHECK(message.header.detail == 0);
    CHECK(message.order_id == 9);
    CHECK(message.target_id == 7);
}

TEST_CASE("every reply is read with its kind, id and engine times") {
    for (const auto& [bytes, kind] : every_reply()) {
        const Decoded decoded = codec().decode(bytes);
        CHECK(decoded.status == DecodeStatus::kReply);
        CHECK(decoded.length == bytes.size());
        CHECK(decoded.reply.meaning == kind);
        CHECK(decoded.reply.id == 42);
        CHECK(decoded.reply.engine_received_ns == 100);
        CHECK(decoded.reply.engine_replied_ns == 250);
    }
}

TEST_CASE("every part of a reply needs more") {
    for (const auto& [bytes, kind] : every_reply()) {
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            CHECK(codec().decode({bytes.data(), size}).status == DecodeStatus::kNeedMore);
        }
    }
}

TEST_CASE("each wrong length is malformed, each type that is no reply is a message to skip") {
    WireCodec wire = codec();
    for (const auto& [bytes, kind] : every_reply()) {
        for (unsigned length = 0; length < 65'536; ++length) {
            if (length == bytes.size()) continue;
            auto wrong = bytes;
            wrong.resize(std::max<std::size_t>(wrong.size(), 48));
            const auto stored = static_cast<std::uint16_t>(length);
            std::memcpy(wrong.data(), &stored, sizeof stored);
            REQUIRE(wire.decode(wrong).status == DecodeStatus::kMalformed);
        }
    }
    for (unsigned type = 0; type < 256; ++type) {
        if (type >= 0x81 && type <= 0x84) continue;
        auto wrong = bytes_of(reply_of(orderwire::Type::kAccepted));
        wrong[2] = static_cast<std::byte>(type);
        const Decoded decoded = wire.decode(wrong);
        CHECK(decoded.status == DecodeStatus::kUnknown);
        CHECK(decoded.length == wrong.size());
    }
    const auto reason = reply_of(orderwire::Type::kCancelled, 2);
    CHECK(wire.decode(bytes_of(orderwire::Cancelled{reason, 5, {}})).status ==
          DecodeStatus::kUnknown);
}

TEST_CASE("the plan writes a whole flow to the byte as the hand-written codec does") {
    WireCodec wire = codec();
    const std::vector<Intent> flow = make_flow({}, 3, 4'096);
    std::vector<std::byte> by_plan(wire.room());
    std::vector<std::byte> by_hand(OrderwireCodec::room());
    for (std::size_t i = 0; i < flow.size(); ++i) {
        const std::uint64_t target = i - flow[i].target_back;
        const std::size_t length = wire.encode(flow[i], i, target, by_plan.data());
        REQUIRE(OrderwireCodec::encode(flow[i], i, target, by_hand.data()) == length);
        REQUIRE(std::equal(by_plan.begin(), by_plan.begin() + static_cast<std::ptrdiff_t>(length),
                           by_hand.begin()));
    }
}

TEST_CASE("random bytes never read beyond their end, and a reply never beyond its length") {
    std::mt19937_64 random(11);
    WireCodec wire = codec();
    for (int round = 0; round < 200'000; ++round) {
        // A heap block of exactly this size: the address sanitizer sees one byte too many.
        std::vector<std::byte> bytes(random() % 64);
        for (auto& byte : bytes) byte = static_cast<std::byte>(random());
        if (bytes.size() > 2 && round % 2 == 0) {
            const auto type = static_cast<std::uint8_t>(0x80 + random() % 6);
            const auto length = static_cast<std::uint16_t>(
                orderwire::length_of(static_cast<orderwire::Type>(type)));
            std::memcpy(bytes.data(), &length, sizeof length);
            bytes[2] = static_cast<std::byte>(type);
        }
        const Decoded decoded = wire.decode(bytes);
        if (decoded.status == DecodeStatus::kReply) {
            REQUIRE(decoded.length <= bytes.size());
            REQUIRE(decoded.length > 0);
        }
        if (decoded.status == DecodeStatus::kNeedMore) {
            REQUIRE(bytes.size() < orderwire::kLongestReply);
        }
    }
}
