#include "sotto/crypto/error.hpp"

namespace sotto::crypto {

std::string_view name(Error error) {
    switch (error) {
        case Error::malformed:
            return "malformed";
        case Error::unsupported:
            return "unsupported";
        case Error::bad_key:
            return "bad key";
        case Error::bad_signature:
            return "bad signature";
        case Error::stale:
            return "stale";
        case Error::mismatch:
            return "mismatch";
        case Error::cannot_open:
            return "cannot open";
        case Error::gap_too_large:
            return "gap too large";
        case Error::duplicate:
            return "duplicate";
        case Error::too_large:
            return "too large";
        case Error::exhausted:
            return "exhausted";
    }
    return "unknown error";
}

}  // namespace sotto::crypto
