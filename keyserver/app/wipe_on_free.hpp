// The running server overwrites memory when it gives it back: what passed through a buffer is not found there
// by whoever looks at the process later.
#pragma once

namespace sotto::keyserver {

/// For what OpenSSL allocates; before anything else of it is called. C++'s own (operator new and delete) is
/// replaced by linking this in. Builds with a sanitizer, which has its own, do nothing.
void wipe_what_is_freed();

}  // namespace sotto::keyserver
