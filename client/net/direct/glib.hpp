// GLib's objects as values of ours.
#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>

#include "sotto/crypto/bytes.hpp"

namespace sotto::client::paths {

struct Unref {
    void operator()(gpointer object) const { g_object_unref(object); }
};
/// One reference to a GObject.
template <class T>
using Ref = std::unique_ptr<T, Unref>;

struct Free {
    void operator()(gpointer memory) const { g_free(memory); }
};
using Text = std::unique_ptr<char, Free>;

struct FreeError {
    void operator()(GError* error) const { g_error_free(error); }
};
using ErrorText = std::unique_ptr<GError, FreeError>;

/// 4 or 16 of them.
[[nodiscard]] inline Bytes address_bytes(GInetAddress* address) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(g_inet_address_to_bytes(address));
    return {bytes, bytes + g_inet_address_get_native_size(address)};
}

/// Calls `what` once on the loop's thread, soon or after so many ms.
void later(GMainContext* context, unsigned ms, std::function<void()> what);

}  // namespace sotto::client::paths
