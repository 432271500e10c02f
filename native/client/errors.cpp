#include "client/errors.h"

#include <system_error>

namespace cluster {

LoadError LoadError::from_errno(const std::string& operation, int error) {
    return LoadError(operation + ": " + std::generic_category().message(error));
}

std::string_view name_of(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::kClosedByEngine: return "closed_by_engine";
        case ErrorKind::kReset: return "reset";
        case ErrorKind::kSendFailed: return "send_failed";
        case ErrorKind::kReceiveFailed: return "receive_failed";
        case ErrorKind::kProtocolError: return "protocol_error";
        case ErrorKind::kLoggedOut: return "logged_out";
        case ErrorKind::kEngineSilent: return "engine_silent";
        case ErrorKind::kLateReply: return "late_reply";
        case ErrorKind::kDuplicateReply: return "duplicate_reply";
        case ErrorKind::kUnknownId: return "unknown_id";
        case ErrorKind::kUnknownMessage: return "unknown_message";
        case ErrorKind::kGarbledMessage: return "garbled_message";
        case ErrorKind::kCutMessage: return "cut_message";
        case ErrorKind::kSequenceBreak: return "sequence_break";
        case ErrorKind::kEngineTime: return "engine_time";
        case ErrorKind::kOutOfRange: return "out_of_range";
        case ErrorKind::kIntervalOverrun: return "interval_overrun";
        case ErrorKind::kLeaseExpired: return "lease_expired";
        case ErrorKind::kReplayStarved: return "replay_starved";
        case ErrorKind::kReplayUnknownReference: return "replay_unknown_reference";
        case ErrorKind::kActivityOverrun: return "activity_overrun";
        case ErrorKind::kKernelTime: return "kernel_time";
    }
    return "unknown";
}

}  // namespace cluster
