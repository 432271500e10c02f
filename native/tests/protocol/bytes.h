// Bytes as tests write them.
#pragma once

#include <cstddef>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace cluster::test {

inline std::vector<std::byte> bytes(std::string_view text) {
    std::vector<std::byte> result;
    for (const char c : text) result.push_back(static_cast<std::byte>(c));
    return result;
}

inline std::string text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// FIX text is written with | for SOH.
inline std::string with_soh(std::string text) {
    for (char& c : text) {
        if (c == '|') c = '\x01';
    }
    return text;
}

inline std::string hex(std::span<const std::byte> bytes) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string result;
    for (const std::byte byte : bytes) {
        result += kHex[static_cast<unsigned>(byte) >> 4];
        result += kHex[static_cast<unsigned>(byte) & 15];
    }
    return result.empty() ? "-" : result;
}
inline std::string hex(std::string_view text) {
    return hex(std::as_bytes(std::span(text)));
}

/// The text of one of native/protocol/plans/.
inline std::string golden_plan(const std::string& name) {
    std::ifstream file(std::string(PLANS) + "/" + name + ".plan");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace cluster::test
