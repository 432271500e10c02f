#include <doctest/doctest.h>

#include <array>

#include "protocol/utc.h"
#include "tests/protocol/bytes.h"

using namespace cluster::protocol;
using cluster::test::bytes;

namespace {

std::string written(UtcWriter& writer, std::size_t digits, std::int64_t ns) {
    std::vector<std::byte> out(utc_width(digits));
    writer.write(out.data(), digits, ns);
    return cluster::test::text(out);
}

}  // namespace

TEST_CASE("UTC text is written to the digit, over seconds, days and leap years") {
    UtcWriter writer;
    CHECK(written(writer, 0, 0) == "19700101-00:00:00");
    CHECK(written(writer, 3, 951'827'696'789'000'000) == "20000229-12:34:56.789");
    CHECK(written(writer, 9, 951'827'696'789'012'345) == "20000229-12:34:56.789012345");
    CHECK(written(writer, 6, 1'795'564'799'999'999'999) == "20261124-23:59:59.999999");
    CHECK(written(writer, 3, 1'795'564'800'000'000'000) == "20261125-00:00:00.000");
}

TEST_CASE("UTC text is read back, with any fraction") {
    UtcWriter writer;
    for (const std::int64_t ns : {0L, 951'827'696'789'012'345L, 1'795'564'799'999'999'999L}) {
        CHECK(read_utc(bytes(written(writer, 9, ns))) == ns);
    }
    CHECK(read_utc(bytes("20000229-12:34:56.5")) == 951'827'696'500'000'000);
    CHECK(read_utc(bytes("20000229-12:34:56")) == 951'827'696'000'000'000);
}

TEST_CASE("text that is no time is none") {
    for (const char* wrong :
         {"", "20000230-12:34:56", "20001301-12:34:56", "20000229-24:00:00", "20000229 12:34:56",
          "20000229-12:34:5x", "20000229-12:34:56,5", "20000229-12:34:56.5x", "2000022912:34:56a",
          "22620101-00:00:00", "99991231-23:59:59"}) {
        CHECK_FALSE(read_utc(bytes(wrong)).has_value());
    }
}
