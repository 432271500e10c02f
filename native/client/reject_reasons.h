// Why orders were rejected, as the engine says it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cluster {

/// Counts by the bytes of the reason. Bounded: what comes after the first kReasons different ones
/// counts as other. Belongs to one worker; allocates nothing.
class RejectReasons {
public:
    static constexpr std::size_t kReasons = 32;
    static constexpr std::size_t kLongest = 32;

    void count(std::span<const std::byte> reason) noexcept {
        const std::size_t size = std::min(reason.size(), kLongest);
        for (Entry& entry : entries_) {
            const bool is_free = entry.count == 0;
            if (is_free) {
                entry.size = size;
                std::copy_n(reason.begin(), size, entry.bytes.begin());
            } else if (entry.size != size ||
                       !std::equal(reason.begin(),
                                   reason.begin() + static_cast<std::ptrdiff_t>(size),
                                   entry.bytes.begin())) {
                continue;
            }
            ++entry.count;
            return;
        }
        ++other_;
    }

    /// A number as its digits.
    void count(std::int64_t reason) noexcept {
        std::array<std::byte, 20> digits{};  // of 19, and a sign
        std::size_t begin = digits.size();
        auto rest = static_cast<std::uint64_t>(reason);
        if (reason < 0) rest = 0 - rest;
        do {
            digits[--begin] = static_cast<std::byte>('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (reason < 0) digits[--begin] = std::byte{'-'};
        count(std::span(digits).subspan(begin));
    }

    std::uint64_t other() const noexcept { return other_; }

    std::vector<std::pair<std::string, std::uint64_t>> counts() const {
        std::vector<std::pair<std::string, std::uint64_t>> all;
        for (const Entry& entry : entries_) {
            if (entry.count == 0) break;
            all.emplace_back(
                std::string(reinterpret_cast<const char*>(entry.bytes.data()), entry.size),
                entry.count);
        }
        return all;
    }

private:
    struct Entry {
        std::array<std::byte, kLongest> bytes{};
        std::size_t size = 0;
        std::uint64_t count = 0;
    };

    std::array<Entry, kReasons> entries_{};
    std::uint64_t other_ = 0;
};

}  // namespace cluster
