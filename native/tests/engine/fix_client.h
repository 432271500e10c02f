// What a client of FIX 4.4 sends and reads, for tests: | stands for the end of a field.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace cluster::engine::test {

/// A whole message from its body, such as "35=0|49=ME|…|".
inline std::string fix_message(std::string body, std::string_view begin = "FIX.4.4") {
    std::ranges::replace(body, '|', '\x01');
    std::string message =
        "8=" + std::string(begin) + "\x01" + "9=" + std::to_string(body.size()) + "\x01" + body;
    unsigned sum = 0;
    for (const char letter : message) sum += static_cast<unsigned char>(letter);
    char trailer[16];
    std::snprintf(trailer, sizeof trailer, "10=%03u\x01", sum % 256);
    return message + trailer;
}

/// Numbers its messages.
class FixClient {
public:
    std::string operator()(std::string_view type, std::string_view rest = "") {
        return numbered(next_++, type, rest);
    }
    static std::string numbered(std::uint64_t number, std::string_view type,
                                std::string_view rest = "") {
        return fix_message("35=" + std::string(type) +
                           "|49=ME|56=ENGINE|34=" + std::to_string(number) +
                           "|52=20261124-15:04:05.678|" + std::string(rest));
    }
    std::string log_on(std::string_view rest = "") {
        return (*this)("A", "98=0|108=30|" + std::string(rest));
    }
    std::string enter(std::string_view id, char side, std::uint64_t quantity,
                      std::string_view price, std::string_view rest = "",
                      std::string_view symbol = "S00007") {
        return (*this)("D",
                       "11=" + std::string(id) + "|55=" + std::string(symbol) + "|54=" + side +
                           "|60=20261124-15:04:05.678|38=" + std::to_string(quantity) +
                           (price.empty() ? "|40=1|" : "|40=2|44=" + std::string(price) + '|') +
                           std::string(rest));
    }
    std::string replace(std::string_view original, std::string_view id, char side,
                        std::uint64_t quantity, std::string_view price,
                        std::string_view symbol = "S00007") {
        return (*this)("G", "11=" + std::string(id) + "|41=" + std::string(original) +
                                "|55=" + std::string(symbol) + "|54=" + side +
                                "|60=20261124-15:04:05.678|38=" + std::to_string(quantity) +
                                "|40=2|44=" + std::string(price) + '|');
    }
    std::string cancel(std::string_view original, std::string_view id, char side,
                       std::string_view symbol = "S00007") {
        return (*this)("F", "11=" + std::string(id) + "|41=" + std::string(original) + "|55=" +
                                std::string(symbol) + "|54=" + side + "|60=20261124-15:04:05.678|");
    }

private:
    std::uint64_t next_ = 1;
};

/// Messages one after another, numbered in this order.
inline std::string in_order(std::initializer_list<std::string> messages) {
    std::string all;
    for (const std::string& message : messages) all += message;
    return all;
}

/// The whole messages of some bytes, with | for the end of a field; what is left stays.
inline std::vector<std::string> fix_messages(std::string& bytes) {
    std::vector<std::string> messages;
    for (;;) {
        const std::size_t trailer = bytes.find(
            "\x01"
            "10=");
        if (trailer == std::string::npos || bytes.size() < trailer + 8) return messages;
        messages.push_back(bytes.substr(0, trailer + 8));
        std::ranges::replace(messages.back(), '\x01', '|');
        bytes.erase(0, trailer + 8);
    }
}

/// A field's value; empty when it is missing.
inline std::string value_of(const std::string& message, int tag) {
    std::string start("|");
    start += std::to_string(tag);
    start += '=';
    const std::size_t at = message.find(start);
    if (at == std::string::npos) return {};
    const std::size_t from = at + start.size();
    return message.substr(from, message.find('|', from) - from);
}

/// Some fields of a message, in the order asked for: "35=8 150=0".
inline std::string pick(const std::string& message, std::initializer_list<int> tags) {
    std::string picked;
    for (const int tag : tags) {
        picked += picked.empty() ? "" : " ";
        picked += std::to_string(tag);
        picked += '=';
        picked += value_of(message, tag);
    }
    return picked;
}

}  // namespace cluster::engine::test
