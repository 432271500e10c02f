// FIX messages as bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/protocol/fix_message.h"
#include "fix_client.h"

using namespace cluster::engine;
using namespace cluster::engine::test;

namespace {

FixFrame frame_of(std::string_view text) {
    return find_fix_frame(std::as_bytes(std::span(text)));
}

std::string soh(std::string text) {
    std::ranges::replace(text, '|', '\x01');
    return text;
}

}  // namespace

TEST_CASE("a message is found with its length and checksum") {
    const std::string text =
        soh("8=FIX.4.4|9=69|35=A|49=ENGINE|56=ME|34=1|52=20261124-15:04:05.678|98=0|108=30|141=Y|"
            "10=128|");
    const std::string stream = text + "8=FIX";
    const FixFrame frame = frame_of(stream);

    CHECK(FixFrame::Is::kWhole == frame.is);
    CHECK(text.size() == frame.bytes);
    CHECK("FIX.4.4" == frame.begin_string);
    const FixMessage message(frame.body);
    CHECK("A" == message[fix::kMsgType]);
    CHECK("Y" == message[fix::kResetSeqNumFlag]);
    CHECK("" == message[fix::kText]);
    for (std::size_t size = 0; size < text.size(); ++size) {
        REQUIRE(FixFrame::Is::kPartial == frame_of(text.substr(0, size)).is);
    }
}

TEST_CASE("a message is written as it is read") {
    FixWriter writer;
    writer.text(fix::kMsgType, "A");
    writer.text(fix::kSenderCompId, "ENGINE");
    writer.text(fix::kTargetCompId, "ME");
    writer.number(fix::kMsgSeqNum, 1);
    FixTime time;
    writer.text(fix::kSendingTime, time.at(1'795'532'645'678'901'234));
    writer.number(fix::kEncryptMethod, 0);
    writer.number(fix::kHeartBtInt, 30);
    writer.letter(fix::kResetSeqNumFlag, 'Y');

    CHECK(soh("8=FIX.4.4|9=69|35=A|49=ENGINE|56=ME|34=1|52=20261124-15:04:05.678|98=0|108=30|"
              "141=Y|10=128|") == writer.finish());
}

TEST_CASE("what is garbled is passed over up to where a message may begin") {
    const std::string good = fix_message("35=0|49=ME|56=ENGINE|34=2|");
    std::string wrong_sum = good;
    wrong_sum[wrong_sum.size() - 2] = wrong_sum[wrong_sum.size() - 2] == '0' ? '1' : '0';
    std::string wrong_length = good;
    wrong_length[12] = wrong_length[12] == '1' ? '2' : '1';
    std::string no_type = fix_message("49=ME|35=0|34=2|");
    for (const std::string& bad :
         {std::string("hello"), wrong_sum, wrong_length, no_type, soh("8=FIX.4.4|10=000|"),
          soh("8=FIX.4.4|9=x|"), soh("8=FIX.4.4|9=99999|"), soh("8=FIX.4.4|9=0|"),
          std::string("8=FIXFIXFIXFIXFIXFIXFIXFIXFIXFIXFIXFIXFIXFIXFIX"), std::string("8=8=")}) {
        CAPTURE(bad);
        std::string rest = bad + good + good;
        std::size_t passes = 0;
        while (frame_of(rest).is == FixFrame::Is::kGarbled) {
            REQUIRE(frame_of(rest).bytes > 0);
            rest.erase(0, frame_of(rest).bytes);
            REQUIRE(++passes < 10);
        }
        CHECK(FixFrame::Is::kWhole == frame_of(rest).is);
        CHECK(good + good == rest);
    }
}

TEST_CASE("garbage without a message keeps what may be the start of one") {
    CHECK(5 == frame_of("hello").bytes);
    CHECK(5 == frame_of("hello8=FI").bytes);
    CHECK(6 == frame_of("8=8=FX8").bytes);
    CHECK(FixFrame::Is::kPartial == frame_of("8=FI").is);
}

TEST_CASE("a field that is not tag=value ends the fields") {
    using Fault = FixMessage::Fault;
    CHECK(Fault::kNone == FixMessage(soh("35=D|11=a|")).fault());
    CHECK(Fault::kInvalidTag == FixMessage(soh("35=D|x=a|")).fault());
    CHECK(Fault::kInvalidTag == FixMessage(soh("35=D|11a|")).fault());
    CHECK(Fault::kInvalidTag == FixMessage(soh("35=D|0=a|")).fault());
    CHECK(Fault::kInvalidTag == FixMessage(soh("35=D||")).fault());
    CHECK(Fault::kInvalidTag == FixMessage(soh("35=D|99999999999=a|")).fault());
    const FixMessage no_value(soh("35=D|11=|55=S1|"));
    CHECK(Fault::kTagWithoutValue == no_value.fault());
    CHECK(11 == no_value.fault_tag());
    std::string many = "35=D|";
    for (int field = 0; field < 200; ++field) {
        many += "58=x|";
    }
    CHECK(Fault::kTooManyFields == FixMessage(soh(many)).fault());
}

TEST_CASE("decimals are taken exactly or not at all") {
    CHECK(100'050 == fix_decimal("1000.50", 100));
    CHECK(100'050 == fix_decimal("1000.5", 100));
    CHECK(100'050 == fix_decimal("1000.500000", 100));
    CHECK(100'000 == fix_decimal("1000", 100));
    CHECK(100'000 == fix_decimal("1000.", 100));
    CHECK(50 == fix_decimal(".5", 100));
    CHECK(7 == fix_decimal("7.0", 1));
    for (const char* text : {"", ".", "1.005", "-1", "+1", "1e3", "1,5", " 1", "1.x", "1..5",
                             "99999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(fix_decimal(text, 100).has_value());
    }
    CHECK_FALSE(fix_decimal("7.5", 1).has_value());
}

TEST_CASE("decimals are written with as many places as they need") {
    FixWriter writer;
    writer.hundredths(44, 100'050);
    writer.hundredths(44, 7);
    writer.decimal(6, 0);
    writer.decimal(6, 1000.505);
    writer.decimal(6, 2.0 / 3);

    const std::string text(writer.finish());
    CHECK(text.find(soh("|44=1000.50|44=0.07|6=0|6=1000.505|6=0.666667|").substr(1)) !=
          std::string::npos);
}

TEST_CASE("times are right on both sides of midnight") {
    FixTime time;
    CHECK("19700101-00:00:00.000" == time.at(0));
    CHECK("20240229-23:59:59.999" == time.at(1'709'251'199'999'999'999));
    CHECK("20240301-00:00:00.000" == time.at(1'709'251'200'000'000'000));
}
