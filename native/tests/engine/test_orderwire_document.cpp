// docs/orderwire.md says what the compiler says: every table of fields and every example.
#include <doctest/doctest.h>

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "engine/encode.h"
#include "messages.h"
#include "wire/orderwire.h"

using namespace cluster;
using namespace cluster::engine::test;
using orderwire::Type;

namespace {

/// The lines under each heading; those before the first belong to "".
std::map<std::string, std::vector<std::string>> sections() {
    std::ifstream file(ORDERWIRE_DOCUMENT);
    REQUIRE_MESSAGE(file.good(), "cannot read " ORDERWIRE_DOCUMENT);
    std::map<std::string, std::vector<std::string>> found;
    std::string heading;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) {
            heading = line.substr(line.find(' ') + 1);
        } else {
            found[heading].push_back(line);
        }
    }
    return found;
}

/// The bytes of a section's example: the hex pairs at the start of its fenced lines.
std::vector<std::uint8_t> example(const std::vector<std::string>& lines) {
    std::vector<std::uint8_t> bytes;
    bool inside = false;
    for (const std::string& line : lines) {
        if (line.starts_with("```")) {
            inside = !inside;
            continue;
        }
        for (std::size_t at = 0; inside && at + 1 < line.size() && line[at] != ' '; at += 3) {
            bytes.push_back(static_cast<std::uint8_t>(std::stoi(line.substr(at, 2), nullptr, 16)));
        }
    }
    return bytes;
}

/// "offset size field" of each row of a section's table of fields.
std::vector<std::string> fields(const std::vector<std::string>& lines) {
    std::vector<std::string> found;
    for (const std::string& line : lines) {
        if (line.size() < 3 || line[0] != '|' || std::isdigit(line[2]) == 0) {
            continue;
        }
        std::istringstream cells(line);
        std::string bar;
        std::string offset;
        std::string size;
        std::string type;
        std::string name;
        cells >> bar >> offset >> bar >> size >> bar >> type >> bar >> name;
        if (name.starts_with('`') && size.find_first_not_of("0123456789") == std::string::npos) {
            found.push_back(offset + ' ' + size + ' ' + name.substr(1, name.size() - 2));
        }
    }
    return found;
}

template <class Message>
std::vector<std::uint8_t> bytes_of(const Message& message) {
    std::vector<std::uint8_t> bytes(sizeof message);
    std::memcpy(bytes.data(), &message, sizeof message);
    return bytes;
}

/// As the engine encodes and stamps it.
std::vector<std::uint8_t> bytes_of_reply(const engine::Reply& reply) {
    std::byte buffer[orderwire::kLongestReply];
    const std::size_t length = engine::encode(reply, 1'000'000'000, buffer);
    engine::stamp(buffer, buffer + length, 1'000'001'928);
    std::vector<std::uint8_t> bytes(length);
    std::memcpy(bytes.data(), buffer, length);
    return bytes;
}

#define FIELD(message, name)                                                                 \
    (std::to_string(offsetof(message, name)) + ' ' + std::to_string(sizeof(message::name)) + \
     " " #name)

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the examples are what the messages are in memory and on the wire") {
    auto page = sections();
    constexpr std::uint32_t kSymbol = 7;
    const auto reply = [](Type type, std::uint8_t detail, std::uint64_t id, std::int64_t price,
                          std::uint32_t quantity, std::uint32_t remaining) {
        return bytes_of_reply({0, kSymbol, id, price, quantity, remaining, type, detail});
    };

    CHECK(bytes_of(new_order(1, orderwire::Side::kBuy, 100'050, 250, kSymbol)) ==
          example(page["New"]));
    CHECK(bytes_of(replace_order(2, 1, 100'049, 300, kSymbol)) == example(page["Replace"]));
    CHECK(bytes_of(cancel_order(3, 2, kSymbol)) == example(page["Cancel"]));
    CHECK(reply(Type::kAccepted, 0, 1, 0, 0, 0) == example(page["Accepted"]));
    CHECK(reply(Type::kRejected, 1, 3, 0, 0, 0) == example(page["Rejected"]));
    CHECK(reply(Type::kExecuted, 0, 1, 100'050, 100, 150) == example(page["Executed"]));
    CHECK(reply(Type::kCancelled, 0, 3, 0, 300, 0) == example(page["Cancelled"]));
}

TEST_CASE("the tables give every field its place and size") {
    using namespace orderwire;
    auto page = sections();

    CHECK(Names{FIELD(Header, length), FIELD(Header, type), FIELD(Header, detail),
                FIELD(Header, symbol)} == fields(page["Header"]));
    CHECK(Names{FIELD(New, header), FIELD(New, order_id), FIELD(New, price_ticks),
                FIELD(New, quantity), FIELD(New, side),
                FIELD(New, reserved)} == fields(page["New"]));
    CHECK(Names{FIELD(Replace, header), FIELD(Replace, order_id), FIELD(Replace, target_id),
                FIELD(Replace, price_ticks), FIELD(Replace, quantity),
                FIELD(Replace, reserved)} == fields(page["Replace"]));
    CHECK(Names{FIELD(Cancel, header), FIELD(Cancel, order_id), FIELD(Cancel, target_id)} ==
          fields(page["Cancel"]));
    CHECK(Names{FIELD(ReplyHeader, header), FIELD(ReplyHeader, order_id),
                FIELD(ReplyHeader, engine_received_ns),
                FIELD(ReplyHeader, engine_replied_ns)} == fields(page["Replies"]));
    CHECK(Names{FIELD(Executed, reply), FIELD(Executed, price_ticks), FIELD(Executed, quantity),
                FIELD(Executed, remaining)} == fields(page["Executed"]));
    CHECK(Names{FIELD(Cancelled, reply), FIELD(Cancelled, quantity), FIELD(Cancelled, reserved)} ==
          fields(page["Cancelled"]));
}

TEST_CASE("the table of messages gives every type its code and length") {
    auto page = sections();
    std::map<std::string, std::pair<int, std::size_t>> listed;
    for (const std::string& line : page["Header"]) {
        std::istringstream cells(line);
        std::string bar;
        std::string code;
        std::string name;
        std::size_t length = 0;
        if (line.starts_with("| 0x") && cells >> bar >> code >> bar >> name >> bar >> length) {
            listed[name] = {std::stoi(code, nullptr, 16), length};
        }
    }
    const std::map<std::string, Type> types = {{"New", Type::kNew},
                                               {"Replace", Type::kReplace},
                                               {"Cancel", Type::kCancel},
                                               {"Accepted", Type::kAccepted},
                                               {"Rejected", Type::kRejected},
                                               {"Executed", Type::kExecuted},
                                               {"Cancelled", Type::kCancelled}};

    REQUIRE(types.size() == listed.size());
    for (const auto& [name, type] : types) {
        CAPTURE(name);
        CHECK(static_cast<int>(type) == listed[name].first);
        CHECK(orderwire::length_of(type) == listed[name].second);
    }
}
