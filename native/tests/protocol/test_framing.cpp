#include <doctest/doctest.h>

#include <random>

#include "protocol/framing.h"
#include "tests/protocol/bytes.h"

using namespace cluster::protocol;
using cluster::test::bytes;
using cluster::test::with_soh;

namespace {

Frame text_frame(FrameKind kind, const std::string& delimiter = "", const std::string& marker = "",
                 std::size_t max = 128) {
    Frame frame;
    frame.kind = kind;
    frame.delimiter = delimiter;
    frame.marker = marker;
    frame.max = max;
    return frame;
}

Frame length_frame(std::uint16_t at, std::uint16_t width, Order order, std::int64_t add) {
    Frame frame;
    frame.kind = FrameKind::kLength;
    frame.at = at;
    frame.width = width;
    frame.order = order;
    frame.add = add;
    frame.min = std::size_t{at} + width;
    frame.max = 64;
    return frame;
}

/// What the first frame of a text is: its length, or -1 for more, -2 for malformed.
int found(const Frame& frame, const std::string& text) {
    const FrameFound result = find_frame(frame, bytes(text));
    if (result.status == FrameStatus::kNeedMore) return -1;
    return result.status == FrameStatus::kMalformed ? -2 : static_cast<int>(result.length);
}

/// Every shorter part of a whole frame needs more, and what follows the frame changes nothing.
void check_parts(const Frame& frame, const std::string& whole) {
    CAPTURE(whole);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        REQUIRE(found(frame, whole.substr(0, size)) == -1);
    }
    CHECK(found(frame, whole) == static_cast<int>(whole.size()));
    CHECK(found(frame, whole + whole) == static_cast<int>(whole.size()));
}

constexpr int kMore = -1;
constexpr int kBad = -2;

}  // namespace

TEST_CASE("a length prefix of any width and order, of the whole or of the rest") {
    check_parts(length_frame(0, 2, Order::kBig, 2), std::string("\0\3abc", 5));
    check_parts(length_frame(0, 2, Order::kLittle, 0), std::string("\5\0abc", 5));
    check_parts(length_frame(2, 3, Order::kBig, 5), std::string("xx\0\0\3abc", 8));
    check_parts(length_frame(0, 4, Order::kLittle, 4), std::string("\2\0\0\0ab", 6));
    check_parts(length_frame(0, 8, Order::kBig, 8), std::string("\0\0\0\0\0\0\0\1a", 9));
    check_parts(length_frame(1, 1, Order::kLittle, 2), std::string("x\1a", 3));
}

TEST_CASE("a prefix beyond the bounds is malformed at once") {
    const Frame frame = length_frame(0, 4, Order::kLittle, 0);
    CHECK(found(frame, std::string("\x41\0\0\0", 4)) == kBad);
    CHECK(found(frame, std::string("\3\0\0\0", 4)) == kBad);
    CHECK(found(frame, std::string("\xff\xff\xff\xff", 4)) == kBad);
    CHECK(found(length_frame(0, 8, Order::kLittle, 8), std::string(8, '\xff')) == kBad);
}

TEST_CASE("a delimiter ends a frame, and one that does not come is malformed") {
    const Frame frame = text_frame(FrameKind::kDelimiter, "\r\n", "", 16);
    check_parts(frame, "STORED\r\n");
    CHECK(find_frame(frame, bytes("OK\r\nX")).content == 2);
    CHECK(found(frame, std::string(15, 'x')) == kMore);
    CHECK(found(frame, std::string(16, 'x')) == kBad);
}

TEST_CASE("a head names the length of its body, in any case of letters") {
    const Frame frame = text_frame(FrameKind::kHead, "\r\n\r\n", "Content-Length:");
    check_parts(frame, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    check_parts(frame, "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK(found(frame, "X\r\nContent-Length: x\r\n\r\n") == kBad);
    CHECK(found(frame, "X\r\nContent-Length: 9999999999\r\n\r\n") == kBad);
    CHECK(found(frame, "X\r\nContent-Length: 500\r\n\r\n") == kBad);
}

TEST_CASE("RESP values of every kind are frames, nested ones too") {
    const Frame frame = text_frame(FrameKind::kResp);
    for (const char* whole : {"+OK\r\n", "-ERR no\r\n", ":12\r\n", "$5\r\nhello\r\n", "$0\r\n\r\n",
                              "*2\r\n$1\r\na\r\n:1\r\n", "*0\r\n", "*1\r\n*1\r\n+x\r\n", "_\r\n",
                              "#t\r\n", "%1\r\n+a\r\n:1\r\n", "=5\r\ntxt:a\r\n"}) {
        check_parts(frame, whole);
    }
    CHECK(found(frame, "$-1\r\n") == 5);
    CHECK(found(frame, "$5\r\nhelloXX") == kBad);
    CHECK(found(frame, "?\r\n") == kBad);
    CHECK(found(frame, "$99999\r\n") == kBad);
    CHECK(found(frame, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+x\r\n") ==
          kBad);
}

TEST_CASE("FIX frames have their length in BodyLength and their trailer where it must be") {
    const Frame frame = text_frame(FrameKind::kFix, with_soh("8=FIX.4.4|"));
    check_parts(frame, with_soh("8=FIX.4.4|9=5|35=0|10=163|"));
    CHECK(found(frame, with_soh("8=FIX.4.2|")) == kBad);
    CHECK(found(frame, with_soh("8=FIX.4.4|35=0|")) == kBad);
    CHECK(found(frame, with_soh("8=FIX.4.4|9=x|")) == kBad);
    CHECK(found(frame, with_soh("8=FIX.4.4|9=9999999999")) == kBad);
    CHECK(found(frame, with_soh("8=FIX.4.4|9=4|35=0|10=163|")) == kBad);
}
