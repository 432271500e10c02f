// FIX messages as bytes: finding one in a stream, looking at its fields, writing one.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace cluster::engine {

inline constexpr char kFixEnd = '\x01';  ///< ends every field

/// The tags that the engine reads or writes.
namespace fix {
inline constexpr int kAvgPx = 6, kBeginSeqNo = 7, kBeginString = 8, kBodyLength = 9, kCheckSum = 10,
                     kClOrdId = 11, kCumQty = 14, kEndSeqNo = 16, kExecId = 17, kLastPx = 31,
                     kLastQty = 32, kMsgSeqNum = 34, kMsgType = 35, kNewSeqNo = 36, kOrderId = 37,
                     kOrderQty = 38, kOrdStatus = 39, kOrdType = 40, kOrigClOrdId = 41,
                     kPossDupFlag = 43, kPrice = 44, kRefSeqNum = 45, kSenderCompId = 49,
                     kSendingTime = 52, kSide = 54, kSymbol = 55, kTargetCompId = 56, kText = 58,
                     kTimeInForce = 59, kTransactTime = 60, kEncryptMethod = 98,
                     kCxlRejReason = 102, kOrdRejReason = 103, kHeartBtInt = 108, kMinQty = 110,
                     kMaxFloor = 111, kTestReqId = 112, kOrigSendingTime = 122, kGapFillFlag = 123,
                     kResetSeqNumFlag = 141, kExecType = 150, kLeavesQty = 151, kRefTagId = 371,
                     kRefMsgType = 372, kSessionRejectReason = 373, kBusinessRejectReason = 380,
                     kCxlRejResponseTo = 434, kUsername = 553, kPassword = 554;
}  // namespace fix

/// The fields of one message, which lie in somebody else's bytes.
class FixMessage {
public:
    static constexpr std::size_t kFieldsMax = 96;

    /// Takes the fields between BodyLength and CheckSum. Stops at the first that is not
    /// tag=value; fault() then says so.
    explicit FixMessage(std::string_view body = {}) noexcept;

    /// The first value of a tag; empty when there is none, which no field of FIX may be.
    std::string_view operator[](int tag) const noexcept;

    /// 0, or the SessionRejectReason of the field that ended the parse, whose tag is fault_tag().
    enum class Fault : std::uint8_t { kNone, kInvalidTag, kTagWithoutValue, kTooManyFields };
    Fault fault() const noexcept { return fault_; }
    int fault_tag() const noexcept { return fault_tag_; }

private:
    /// Without constructors: a message is looked at without first clearing 96 fields.
    struct Field {
        int tag;
        std::uint32_t at;
        std::uint32_t size;
    };
    std::string_view body_;
    std::array<Field, kFieldsMax> fields_;
    std::size_t size_ = 0;
    Fault fault_ = Fault::kNone;
    int fault_tag_ = 0;
};

/// What lies at the start of a stream of FIX bytes.
struct FixFrame {
    static constexpr std::size_t kLongest = 8192;  ///< a message of a client, in bytes

    enum class Is : std::uint8_t {
        kPartial,  ///< the start of a message; more bytes will tell
        kWhole,    ///< a message whose length and checksum are right
        kGarbled,  ///< `bytes` of something else; a message may begin behind them
    };
    Is is;
    std::size_t bytes = 0;
    std::string_view begin_string{};
    std::string_view body{};  ///< from MsgType on, without CheckSum
};

FixFrame find_fix_frame(std::span<const std::byte> bytes) noexcept;

/// The digits of a value as a number; nothing when it is no whole number that fits.
std::optional<std::uint64_t> fix_number(std::string_view value) noexcept;

/// A decimal value in units of 1 / `per_unit`, a power of ten; nothing when it is no decimal above
/// or equal to 0, does not fit or is no whole number of them.
std::optional<std::int64_t> fix_decimal(std::string_view value, std::int64_t per_unit) noexcept;

/// Writes one message. Its parts are short enough, by what their callers let in, to always fit.
class FixWriter {
public:
    static constexpr std::size_t kLongest = 1024;

    void text(int tag, std::string_view value) noexcept {
        number_only(tag);
        put('=');
        put(value);
        put(kFixEnd);
    }
    void letter(int tag, char value) noexcept { text(tag, {&value, 1}); }
    void number(int tag, std::uint64_t value) noexcept {
        number_only(tag);
        put('=');
        number_only(value);
        put(kFixEnd);
    }
    /// `value` units of 0.01.
    void hundredths(int tag, std::int64_t value) noexcept;
    /// With up to six decimals.
    void decimal(int tag, double value) noexcept;

    /// The message with its head and its checksum. Its bytes live until the writer goes.
    std::string_view finish() noexcept;

private:
    static constexpr std::size_t kHead = 32;  ///< room for BeginString and BodyLength

    void put(char letter) noexcept {
        if (end_ < bytes_.size()) {
            bytes_[end_++] = letter;
        }
    }
    void put(std::string_view text) noexcept {
        for (const char letter : text) {
            put(letter);
        }
    }
    template <class Number>
    void number_only(Number value) noexcept {
        std::array<char, 20> digits;
        const auto [end, error] =
            std::to_chars(digits.data(), digits.data() + digits.size(), value);
        put({digits.data(), static_cast<std::size_t>(end - digits.data())});
        static_cast<void>(error);  // 20 digits hold any number
    }

    std::array<char, kHead + kLongest> bytes_;
    std::size_t end_ = kHead;
};

/// UTC times with milliseconds, as FIX wants them. Remembers the day, which is slow to work out.
class FixTime {
public:
    using Text = std::array<char, 21>;  ///< YYYYMMDD-HH:MM:SS.sss

    std::string_view at(std::int64_t wall_ns) noexcept;

private:
    Text text_{};
    std::int64_t day_ = -1;
};

}  // namespace cluster::engine
