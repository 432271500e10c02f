#include "protocol/message_reader.h"

#include <algorithm>
#include <utility>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/utc.h"

namespace cluster::protocol {
namespace {

constexpr std::size_t kPatchesMax = 512;
constexpr std::size_t kDigitsWidthMax = 64;
constexpr std::size_t kFinishedMax = 32;  // lengths and checksums of a message

Order read_order(Words& line) {
    return line.one_of<Order>({"little", "big"});
}

Justify read_justify(Words& line) {
    return line.one_of<Justify>({"left", "right"});
}

char read_pad(Words& line) {
    const std::vector<std::byte> pad = line.bytes();
    if (pad.size() != 1) line.fail("must pad with one byte");
    return static_cast<char>(pad[0]);
}

/// The same where there may be none: `-`.
char read_perhaps_pad(Words& line) {
    const std::vector<std::byte> pad = line.bytes();
    if (pad.size() > 1) line.fail("must pad with one byte");
    return pad.empty() ? '\0' : static_cast<char>(pad[0]);
}

std::uint8_t read_base(Words& line) {
    return static_cast<std::uint8_t>(line.number(2, 36));
}

std::uint8_t read_decimals(Words& line) {
    return static_cast<std::uint8_t>(line.number(0, 18));
}

NumberFormat read_number_format(Words& line) {
    NumberFormat format;
    format.is_text = line.one_of<int>({"int", "dec"}) == 1;
    format.width = static_cast<std::uint16_t>(line.number(1, format.is_text ? 20 : 8));
    if (format.is_text) {
        format.digits.base = read_base(line);
        format.digits.justify = read_justify(line);
        format.digits.pad = read_pad(line);
    } else {
        format.order = read_order(line);
    }
    return format;
}

bool is_plain(const Patch& patch) {
    return patch.kind < PatchKind::kInt;
}

/// What a length or checksum goes over.
void read_bounds(Span& span, Words& line) {
    span.from_chunk = static_cast<std::uint16_t>(line.number(0, kChunksMax));
    span.from = static_cast<std::uint16_t>(line.number(0, kRequestBytesMax));
    span.to_chunk = static_cast<std::uint16_t>(line.number(0, kChunksMax));
    span.to = static_cast<std::uint16_t>(line.number(0, kRequestBytesMax));
}

}  // namespace

std::uint16_t Texts::number_of(std::string_view name, const Words& line) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
        if (names_.size() == kKeptTextsMax) line.fail("keeps one text too many");
        names_.emplace_back(name);
        return static_cast<std::uint16_t>(names_.size() - 1);
    }
    return static_cast<std::uint16_t>(found - names_.begin());
}

MessageReader::MessageReader(const Plan& plan, Texts& texts, std::string name,
                             bool answered_by_target)
    : plan_(plan), texts_(texts) {
    message_.name = std::move(name);
    message_.answered_by_target = answered_by_target;
}

void MessageReader::take(std::string_view what, Words& line) {
    if (what == "bytes") return begin_chunk(line);
    if (message_.chunks.empty()) line.fail("must come after `bytes`");
    if (what == "insert") {
        message_.chunks.back().insert = texts_.number_of(line.word(), line);
        return;
    }
    if (message_.lengths.size() + message_.checksums.size() == kFinishedMax) {
        if (what == "length" || what == "checksum") line.fail("is one length or checksum too many");
    }
    if (what == "length") {
        LengthField field;
        field.span = span_of(line);
        field.format = read_number_format(line);
        read_bounds(field.span, line);
        field.add = line.number(-65'536, 65'536);
        message_.lengths.push_back(field);
        return;
    }
    if (what == "checksum") {
        ChecksumField field;
        field.span = span_of(line);
        field.format = read_number_format(line);
        field.kind = line.one_of<ChecksumKind>({"sum256", "xor8", "crc32", "crc32c", "adler32"});
        read_bounds(field.span, line);
        message_.checksums.push_back(field);
        return;
    }
    Patch patch = patch_at(line);
    if (what == "int") {
        patch.kind = PatchKind::kInt;
        patch.width = static_cast<std::uint16_t>(line.number(1, 8));
        patch.order = read_order(line);
        read_source(patch, line);
        patch.scale = line.number();
        patch.add = line.number();
    } else if (what == "dec") {
        patch.kind = PatchKind::kDecimal;
        patch.width = static_cast<std::uint16_t>(line.number(1, kDigitsWidthMax));
        read_source(patch, line);
        patch.scale = line.number();
        patch.add = line.number();
        patch.digits.base = read_base(line);
        patch.digits.decimals = read_decimals(line);
        patch.digits.justify = read_justify(line);
        patch.digits.pad = read_pad(line);
    } else if (what == "float") {
        patch.kind = PatchKind::kFloat;
        patch.width = static_cast<std::uint16_t>(line.number(4, 8));
        if (patch.width != 4 && patch.width != 8) line.fail("is no float of 4 or 8 bytes");
        patch.order = read_order(line);
        read_source(patch, line);
        patch.factor = line.real();
    } else if (what == "table") {
        patch.kind = PatchKind::kTable;
        read_source(patch, line);
        patch.table = line.index(plan_.tables.size());
        patch.width = plan_.tables[patch.table].width;
    } else if (what == "utc") {
        patch.kind = PatchKind::kUtc;
        patch.detail = static_cast<std::uint16_t>(line.number(0, 9));
        patch.width = static_cast<std::uint16_t>(utc_width(patch.detail));
    } else if (what == "text") {
        patch.kind = PatchKind::kText;
        patch.width = static_cast<std::uint16_t>(line.number(1, kKeptBytesMax));
        patch.digits.justify = read_justify(line);
        patch.digits.pad = read_pad(line);
        patch.detail = texts_.number_of(line.word(), line);
    } else {
        line.fail("holds the unknown word `" + std::string(what) + "`");
    }
    add(patch, line);
}

Patch MessageReader::patch_at(Words& line) const {
    Patch patch;
    patch.at = static_cast<std::uint16_t>(line.number(0, kRequestBytesMax));
    return patch;
}

void MessageReader::read_source(Patch& patch, Words& line) const {
    const std::string_view name = line.word();
    const auto after = [&](std::string_view prefix) {
        return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view{};
    };
    static constexpr std::pair<std::string_view, Source> kNames[] = {
        {"id", Source::kId},
        {"target", Source::kTarget},
        {"price", Source::kPrice},
        {"size", Source::kSize},
        {"symbol", Source::kSymbol},
        {"client", Source::kClient},
        {"sequence", Source::kSequence},
        {"next_sequence", Source::kNextSequence}};
    for (const auto& [known, source] : kNames) {
        if (name != known) continue;
        patch.source = source;
        return;
    }
    if (const std::string_view draw = after("draw."); !draw.empty()) {
        const auto [end, error] =
            std::from_chars(draw.data(), draw.data() + draw.size(), patch.detail);
        if (error == std::errc{} && end == draw.data() + draw.size() &&
            patch.detail < plan_.draws.size()) {
            patch.source = Source::kDraw;
            return;
        }
    }
    static constexpr std::string_view kUnits[] = {"ns", "us", "ms", "s"};
    if (const std::string_view time = after("time."); !time.empty()) {
        for (std::uint16_t unit = 0; unit < std::size(kUnits); ++unit) {
            for (const bool midnight : {false, true}) {
                if (time != std::string(kUnits[unit]) + (midnight ? ".midnight" : ".epoch")) {
                    continue;
                }
                patch.source = Source::kTime;
                patch.detail = unit;
                patch.since_midnight = midnight;
                return;
            }
        }
    }
    line.fail("holds the unknown source `" + std::string(name) + "`");
}

void MessageReader::add(const Patch& patch, const Words& line) {
    Chunk& chunk = message_.chunks.back();
    if (chunk.insert != kNone) line.fail("comes after its chunk has ended");
    if (std::size_t{patch.at} + patch.width > chunk.length) line.fail("lies beyond its bytes");
    if (chunk.patches.size() == kPatchesMax) line.fail("is one patch too many");
    message_.uses_sequence = message_.uses_sequence || patch.source == Source::kSequence;
    Patch made = patch;
    const bool as_it_is = patch.kind == PatchKind::kInt && patch.scale == 1 && patch.add == 0 &&
                          static_cast<std::size_t>(patch.source) < kOrderSources;
    if (as_it_is && patch.width == 8) {
        made.kind =
            patch.order == Order::kLittle ? PatchKind::kPlain64Little : PatchKind::kPlain64Big;
    } else if (as_it_is && patch.width == 4) {
        made.kind =
            patch.order == Order::kLittle ? PatchKind::kPlain32Little : PatchKind::kPlain32Big;
    }
    chunk.patches.push_back(made);
}

void MessageReader::begin_chunk(Words& line) {
    if (message_.chunks.size() == kChunksMax) line.fail("is one chunk too many");
    if (!message_.chunks.empty() && message_.chunks.back().insert == kNone) {
        line.fail("begins a chunk where none has ended");
    }
    const std::vector<std::byte> bytes = line.bytes();
    Chunk chunk;
    chunk.begin = message_.bytes.size();
    chunk.length = bytes.size();
    message_.bytes.insert(message_.bytes.end(), bytes.begin(), bytes.end());
    if (message_.bytes.size() > kRequestBytesMax) line.fail("makes the message too long");
    message_.chunks.push_back(std::move(chunk));
}

/// Where a length or checksum stands; the rest of the span follows later on the line.
Span MessageReader::span_of(Words& line) const {
    Span span;
    span.chunk = line.index(message_.chunks.size());
    span.at = static_cast<std::uint16_t>(line.number(0, kRequestBytesMax));
    return span;
}

void MessageReader::check(const Span& span, std::size_t width, const Words& line) const {
    const auto lies_in = [&](std::size_t chunk, std::size_t at) {
        return chunk < message_.chunks.size() && at <= message_.chunks[chunk].length;
    };
    if (!lies_in(span.chunk, span.at + width) || !lies_in(span.from_chunk, span.from) ||
        !lies_in(span.to_chunk, span.to)) {
        line.fail("ends a message with a length or checksum beyond its bytes");
    }
}

Message MessageReader::finish(const Words& line) {
    if (message_.chunks.empty()) line.fail("ends a message without bytes");
    for (const LengthField& field : message_.lengths) check(field.span, field.format.width, line);
    for (const ChecksumField& field : message_.checksums) {
        check(field.span, field.format.width, line);
    }
    message_.longest = message_.bytes.size();
    for (const Chunk& chunk : message_.chunks) {
        if (chunk.insert != kNone) message_.longest += kKeptBytesMax;
    }
    if (message_.longest == 0) line.fail("ends a message of no bytes");
    const Chunk& first = message_.chunks.front();
    message_.is_fixed = message_.chunks.size() == 1 && first.insert == kNone;
    message_.is_plain = message_.is_fixed && message_.lengths.empty() &&
                        message_.checksums.empty() &&
                        std::all_of(first.patches.begin(), first.patches.end(), is_plain);
    for (Chunk& chunk : message_.chunks) {
        std::stable_partition(chunk.patches.begin(), chunk.patches.end(), is_plain);
    }
    return std::move(message_);
}

ReplyReader::ReplyReader(Plan& plan, Texts& texts, ReplyRule rule)
    : plan_(plan), texts_(texts), rule_(std::move(rule)) {}

void ReplyReader::take(std::string_view what, Words& line) {
    if (what == "match") return read_match(line);
    if (what == "read") return read_value(line);
    line.fail("holds the unknown word `" + std::string(what) + "`");
}

ReplyRule ReplyReader::finish() {
    return std::move(rule_);
}

/// An offset, or the index of a tag.
std::uint16_t ReplyReader::place(Words& line) {
    if (plan_.frame.kind == FrameKind::kFix) {
        return tag_index(static_cast<std::uint32_t>(line.number(1, 999'999'999)), line);
    }
    return static_cast<std::uint16_t>(line.number(0, kFrameBytesMax));
}

std::uint16_t ReplyReader::tag_index(std::uint32_t tag, const Words& line) {
    const auto found = std::find(plan_.tags.begin(), plan_.tags.end(), tag);
    if (found != plan_.tags.end()) return static_cast<std::uint16_t>(found - plan_.tags.begin());
    if (plan_.tags.size() == kTagsMax) line.fail("reads one tag too many");
    plan_.tags.push_back(tag);
    return static_cast<std::uint16_t>(plan_.tags.size() - 1);
}

void ReplyReader::read_match(Words& line) {
    const std::uint16_t at = place(line);
    std::vector<std::byte> bytes = line.bytes();
    if (bytes.empty()) line.fail("matches nothing");
    if (plan_.frame.kind == FrameKind::kFix) {
        rule_.tag_matches.push_back({at, std::move(bytes)});
        return;
    }
    if (at + bytes.size() > rule_.length) line.fail("lies beyond the reply's length");
    rule_.matches.push_back({at, std::move(bytes)});
}

void ReplyReader::read_value(Words& line) {
    const std::string_view what = line.word();
    if (what.starts_with("keep.")) {
        const std::string name = "session." + std::string(what.substr(5));
        const std::uint16_t text = texts_.number_of(name, line);
        rule_.keeps.push_back({read_format(line), text});
        return;
    }
    static constexpr std::pair<std::string_view, Read ReplyRule::*> kReads[] = {
        {"id", &ReplyRule::id},
        {"reason", &ReplyRule::reason},
        {"executed", &ReplyRule::executed},
        {"remaining", &ReplyRule::remaining},
        {"engine_received", &ReplyRule::engine_received},
        {"engine_replied", &ReplyRule::engine_replied},
        {"sequence", &ReplyRule::sequence}};
    for (const auto& [name, read] : kReads) {
        if (what != name) continue;
        rule_.*read = read_format(line);
        return;
    }
    line.fail("reads the unknown value `" + std::string(what) + "`");
}

Read ReplyReader::read_format(Words& line) {
    Read read;
    const bool is_tagged = plan_.frame.kind == FrameKind::kFix;
    const std::string_view format = line.word();
    read.at = place(line);
    read.width = static_cast<std::uint16_t>(line.number(0, kFrameBytesMax));
    if (format == "int") {
        if (is_tagged) line.fail("reads a tag as a binary number");
        if (read.width < 1 || read.width > 8) line.fail("reads a number of no 1 to 8 bytes");
        read.order = read_order(line);
        const bool is_unsigned = line.one_of<int>({"signed", "unsigned"}) == 1;
        read.scale = line.number();
        read.kind = is_unsigned ? ReadKind::kUnsigned : ReadKind::kSigned;
        if (read.width == 8 && read.scale == 1) {
            read.kind =
                read.order == Order::kLittle ? ReadKind::kPlain64Little : ReadKind::kPlain64Big;
        }
    } else if (format == "dec") {
        read.kind = ReadKind::kDecimal;
        read.digits.base = read_base(line);
        read.digits.decimals = read_decimals(line);
        read.digits.pad = read_perhaps_pad(line);
        read.scale = line.number();
    } else if (format == "text") {
        read.kind = ReadKind::kText;
        read.digits.pad = read_perhaps_pad(line);
    } else if (format == "utc") {
        read.kind = ReadKind::kUtc;
    } else {
        line.fail("reads in the unknown format `" + std::string(format) + "`");
    }
    // A value to the frame's end is where it is; others lie within what the length promises.
    if (!is_tagged && (read.width == 0 ? std::size_t{read.at} : std::size_t{read.at} + read.width) >
                          rule_.length) {
        line.fail("reads beyond the reply's length");
    }
    return read;
}

}  // namespace cluster::protocol
