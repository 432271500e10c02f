#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "protocol/plan_reader.h"

using namespace cluster::protocol;

namespace {

constexpr const char* kSmall = R"(loadcluster-plan 1
frame fixed 8
table 0 2 61626364
draw 0 uniform 1 6
message m own
  bytes 0000000000000000
  int 0 8 little id 1 0
end
reply r accepted 8 exact request
  match 0 41
  read id int 0 8 little unsigned 1
end
)";

std::string error_of(const std::string& text) {
    try {
        read_plan(text);
    } catch (const PlanError& error) {
        return error.what();
    }
    return "";
}

/// The small plan with a line more.
std::string with(const std::string& line) {
    return kSmall + line + "\n";
}

}  // namespace

TEST_CASE("a small plan is read") {
    const Plan plan = read_plan(kSmall);
    CHECK(plan.messages.size() == 1);
    CHECK(plan.replies.size() == 1);
    CHECK(plan.tables[0].entries == 2);
    CHECK(plan.manners.ids_in_replies);
}

TEST_CASE("a table that waits for symbols has its memory from the start, full of padding") {
    const Plan plan = read_plan(with("table 1 3 symbols 2 2e right\nsymbols 41 4243"));
    const Table& table = plan.tables[1];
    CHECK(table.awaits_symbols);
    CHECK(table.entries == 2);
    CHECK(table.justify == Justify::kRight);
    CHECK(table.bytes == std::vector<std::byte>(6, std::byte{0x2E}));
    CHECK(!plan.tables[0].awaits_symbols);
    CHECK(plan.symbol_names == std::vector<std::string>{"A", "BC"});
}

TEST_CASE("a table that waits for symbols is bounded") {
    CHECK(error_of(with("table 1 3 symbols 0 20 left")) ==
          "plan, line 13: holds a number out of range");
    CHECK(error_of(with("table 1 3 symbols 1000001 20 left")) ==
          "plan, line 13: holds a number out of range");
    CHECK(error_of(with("table 1 3 symbols 2 2020 left")) ==
          "plan, line 13: must pad with one byte");
    CHECK(error_of(with("table 1 1000 symbols 1000000 20 left")) ==
          "plan, line 13: takes too much memory for symbols");
    // Of all tables together.
    CHECK(
        error_of(with("table 1 64 symbols 1000000 20 left\ntable 2 64 symbols 1000000 20 left")) ==
        "plan, line 14: takes too much memory for symbols");
}

TEST_CASE("every golden plan is read") {
    int plans = 0;
    for (const auto& entry : std::filesystem::directory_iterator(PLANS)) {
        if (entry.path().extension() != ".plan") continue;
        std::ifstream file(entry.path());
        std::stringstream text;
        text << file.rdbuf();
        CAPTURE(entry.path().string());
        CHECK_NOTHROW(read_plan(text.str()));
        ++plans;
    }
    CHECK(plans >= 9);
}

TEST_CASE("what is wrong with a plan is told with its line") {
    CHECK(error_of("loadcluster-plan 2\n") == "plan, line 1: holds a number out of range");
    CHECK(error_of(with("frobnicate 1")) ==
          "plan, line 13: begins with the unknown word `frobnicate`");
    CHECK(error_of(with("session sequence -1")) == "plan, line 13: holds a number out of range");
    CHECK(error_of(with("timed first 9")) == "plan, line 13: goes on after its end");
    CHECK(error_of(with("send new limit buy nobody")) ==
          "plan, line 13: names a message that the plan has not");
    CHECK(error_of(with("session answer nobody m")) ==
          "plan: answers the reply nobody, which it has not");
    CHECK(error_of("loadcluster-plan 1\n") == "plan: says nothing about frames");
}

TEST_CASE("frames are described once: the replies before were read by it") {
    CHECK(error_of(with("frame fixed 8")) == "plan, line 13: comes a second time");
}

TEST_CASE("a draw's law is finite, and a message's lengths and checksums are few") {
    CHECK(error_of(with("draw 1 normal nan 1 0 9")).ends_with("is not finite"));
    CHECK(error_of(with("draw 1 normal 0 inf 0 9")).ends_with("is not finite"));
    std::string many = "message n own\n  bytes 00000000\n";
    for (int i = 0; i < 33; ++i) many += "  checksum 0 0 int 1 big sum256 0 0 0 4\n";
    CHECK(error_of(with(many + "end")).ends_with("is one length or checksum too many"));
}

TEST_CASE("nothing in a plan may lie beyond its message, reply, table or list") {
    const auto message = [](const std::string& line) {
        return with("message n own\n  bytes 0000\n  " + line + "\nend");
    };
    CHECK(error_of(message("int 1 2 little id 1 0")).ends_with("lies beyond its bytes"));
    CHECK(error_of(message("int 0 9 little id 1 0")).ends_with("holds a number out of range"));
    CHECK(error_of(message("table 1 symbol 0")).ends_with("lies beyond its bytes"));
    CHECK(error_of(message("table 0 symbol 7")).ends_with("holds a number out of range"));
    CHECK(error_of(message("int 0 2 little draw.3 1 0")).ends_with("unknown source `draw.3`"));
    CHECK(error_of(message("length 0 1 int 2 big 0 0 0 2 0"))
              .ends_with("length or checksum beyond its bytes"));
    CHECK(error_of(message("checksum 0 0 int 1 big sum256 0 0 3 0"))
              .ends_with("length or checksum beyond its bytes"));
    CHECK(error_of(message("bytes 00")).ends_with("begins a chunk where none has ended"));
    const auto reply = [](const std::string& line) {
        return with("reply s accepted 8 exact request\n  " + line + "\nend");
    };
    CHECK(error_of(reply("match 7 4141")).ends_with("lies beyond the reply's length"));
    CHECK(error_of(reply("read id int 1 8 little unsigned 1"))
              .ends_with("beyond the reply's length"));
    CHECK(error_of(reply("read id dec 4 5 10 0 30 1")).ends_with("beyond the reply's length"));
    CHECK(error_of(with("message n own\n  bytes 00")).ends_with("ends within a block"));
    CHECK(error_of(with("draw 1 weighted 0 0")).ends_with("has no weight above 0"));
    CHECK(error_of(with("table 1 3 6162")).ends_with("or too many"));
}
