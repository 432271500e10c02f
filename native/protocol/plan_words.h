// One line of a plan, word by word.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/plan_error.h"

namespace cluster::protocol {

/// The words of a statement, taken from the left. Every way in which they can be wrong throws
/// PlanError with the line.
class Words {
public:
    Words(std::string_view line, std::size_t number) : number_(number) {
        while (!line.empty()) {
            const std::size_t end = line.find(' ');
            const std::string_view word = line.substr(0, end);
            if (!word.empty()) words_.push_back(word);
            line = end == std::string_view::npos ? std::string_view{} : line.substr(end + 1);
        }
    }

    bool empty() const noexcept { return at_ == words_.size(); }

    std::string_view word() {
        if (empty()) fail("ends too early");
        return words_[at_++];
    }

    /// Takes the next word if it is this one.
    bool takes(std::string_view expected) noexcept {
        if (empty() || words_[at_] != expected) return false;
        ++at_;
        return true;
    }

    std::int64_t number(std::int64_t min, std::int64_t max) {
        const std::int64_t value = parsed<std::int64_t>();
        if (value < min || value > max) fail("holds a number out of range");
        return value;
    }
    std::int64_t number() {
        return number(std::numeric_limits<std::int64_t>::min(),
                      std::numeric_limits<std::int64_t>::max());
    }
    /// Below `end`.
    template <class Unsigned = std::uint16_t>
    Unsigned index(std::size_t end) {
        if (end == 0) fail("names something that the plan has not");
        return static_cast<Unsigned>(number(0, static_cast<std::int64_t>(end) - 1));
    }
    double real() { return parsed<double>(); }

    /// Bytes in hex; `-` is none.
    std::vector<std::byte> bytes() {
        const std::string_view hex = word();
        std::vector<std::byte> result;
        if (hex == "-") return result;
        if (hex.size() % 2 != 0) fail("holds half a byte");
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            unsigned value = 0;
            const auto [end, error] = std::from_chars(&hex[i], &hex[i] + 2, value, 16);
            if (error != std::errc{} || end != &hex[i] + 2) fail("holds a byte that is not hex");
            result.push_back(static_cast<std::byte>(value));
        }
        return result;
    }
    std::string text() {
        std::string result;
        for (const std::byte byte : bytes()) result += static_cast<char>(byte);
        return result;
    }

    /// One of these words, by its place in the list.
    template <class Enum>
    Enum one_of(std::initializer_list<std::string_view> names) {
        const std::string_view said = word();
        std::size_t index = 0;
        for (const std::string_view name : names) {
            if (said == name) return static_cast<Enum>(index);
            ++index;
        }
        fail("holds the unknown word `" + std::string(said) + "`");
    }

    void end() {
        if (!empty()) fail("goes on after its end");
    }

    [[noreturn]] void fail(const std::string& what) const {
        throw PlanError("plan, line " + std::to_string(number_) + ": " + what);
    }

private:
    template <class Number>
    Number parsed() {
        const std::string_view text = word();
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size()) {
            fail("holds `" + std::string(text) + "` where a number must stand");
        }
        return value;
    }

    std::vector<std::string_view> words_;
    std::size_t at_ = 0;
    std::size_t number_;
};

}  // namespace cluster::protocol
