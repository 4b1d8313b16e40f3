#include "chat_editor.hpp"

#include <histedit.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cwchar>
#include <tuple>
#include <utility>

#include "columns.hpp"
#include "paste.hpp"
#include "sotto/protocol/limits.hpp"

namespace sotto::cli {
namespace {

constexpr int kept_lines = 500;
constexpr int paste_patience_ms = 2000;
constexpr std::size_t longest_paste = 4 * protocol::max_text_size;

void write_all(std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno != EINTR && errno != EAGAIN) return;
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

/// What libedit calls back into; it knows nothing but C.
struct ChatEditor::Libedit {
    ChatEditor& owner;
    EditLine* line = nullptr;
    HistoryW* history = nullptr;
    std::wstring prompt;
    winsize size{};

    explicit Libedit(ChatEditor& editor) : owner(editor) {}
    Libedit(const Libedit&) = delete;
    Libedit& operator=(const Libedit&) = delete;
    ~Libedit() {
        if (line != nullptr) {
            ::el_end(line);
            write_all(no_more_pastes);
        }
        if (history != nullptr) ::history_wend(history);
    }

    static Libedit& of(EditLine* line) {
        void* data = nullptr;
        ::el_wget(line, EL_CLIENTDATA, &data);  // NOLINT(cppcoreguidelines-pro-type-vararg)
        return *static_cast<Libedit*>(data);
    }
    static wchar_t* show_prompt(EditLine* line) {
        auto& self = of(line);
        {
            const std::lock_guard lock(self.owner.mutex_);
            self.prompt = widen(self.owner.prompt_);
        }
        return self.prompt.data();
    }
    // NOLINTBEGIN(cppcoreguidelines-pro-type-vararg): that is how libedit is told anything
    [[nodiscard]] bool open() {
        line = ::el_init("sotto", stdin, stdout, stderr);
        history = ::history_winit();
        if (line == nullptr || history == nullptr) return false;
        HistEventW event{};
        ::history_w(history, &event, H_SETSIZE, kept_lines);
        ::history_w(history, &event, H_SETUNIQUE, 1);
        ::el_wset(line, EL_CLIENTDATA, this);
        ::el_wset(line, EL_PROMPT, &show_prompt);
        ::el_wset(line, EL_SIGNAL, 0);
        ::el_wset(line, EL_HIST, &::history_w, history);
        ::el_wset(line, EL_EDITOR, L"emacs");
        ::el_wset(line, EL_GETCFN, &read_character);
        ::el_wset(line, EL_ADDFN, L"sotto-complete", L"complete a name or a command", &complete);
        ::el_wset(line, EL_BIND, L"\t", L"sotto-complete", nullptr);
        // Ctrl-C clears the line; whoever wants to leave types /quit or Ctrl-D.
        ::el_wset(line, EL_SETTY, L"-d", L"-isig", nullptr);
        ::el_wset(line, EL_BIND, L"^C", L"em-kill-line", nullptr);
        ::el_wset(line, EL_ADDFN, L"sotto-paste", L"take what is pasted as text", &paste);
        ::el_wset(line, EL_BIND, std::wstring{paste_begins}.c_str(), L"sotto-paste", nullptr);
        ::el_wset(line, EL_ADDFN, L"sotto-suspend", L"go into the background", &suspend);
        ::el_wset(line, EL_BIND, L"^Z", L"sotto-suspend", nullptr);
        follow_size();
        write_all(ask_for_pastes);
        return true;
    }
    void remember(const wchar_t* text) const {
        HistEventW event{};
        ::history_w(history, &event, H_ENTER, text);
    }
    // NOLINTEND(cppcoreguidelines-pro-type-vararg)

    /// The line is drawn again where it stands, below this.
    void draw_below(std::string_view text) const {
        const auto* const info = ::el_wline(line);
        const auto typed =
            std::wstring_view{info->buffer, static_cast<std::size_t>(info->cursor - info->buffer)};
        const wchar_t next = info->cursor < info->lastchar ? *info->cursor : wchar_t{0};
        const auto below =
            std::min(rows_below(prompt + std::wstring{typed}, next, size.ws_col), size.ws_row - 1);
        std::string out = "\r";
        if (below > 0) out += "\x1b[" + std::to_string(below) + "A";
        out += "\x1b[J";
        out += text;
        write_all(out);
        ::el_wset(line, EL_REFRESH);  // NOLINT(cppcoreguidelines-pro-type-vararg)
    }
    /// Rubs the typed line out, prints, and has it drawn again below.
    void show_news() {
        const auto news = owner.take_news();
        const bool resized = follow_size();
        if (!news.output.empty() || news.prompt || resized) draw_below(news.output);
    }
    /// Whether the terminal has another size than the last time.
    bool follow_size() {
        winsize now{};
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's own
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 || now.ws_col == 0 || now.ws_row == 0)
            now = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
        const auto before = std::exchange(size, now);
        if (before.ws_col == now.ws_col && before.ws_row == now.ws_row) return false;
        ::el_resize(line);
        return before.ws_col != 0;
    }

    /// One byte of the keyboard's, printing what comes meanwhile; nothing at the end, or if none comes in
    /// time.
    std::optional<char> read_byte(int timeout_ms) {
        while (true) {
            std::array<pollfd, 2> polled{pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                         pollfd{.fd = owner.event_, .events = POLLIN, .revents = 0}};
            const auto ready = ::poll(polled.data(), polled.size(), timeout_ms);
            if ((ready < 0 && errno != EINTR) || ready == 0 || owner.stop_) return std::nullopt;
            if (polled[1].revents != 0) {
                eventfd_t ignored = 0;
                std::ignore = ::eventfd_read(owner.event_, &ignored);
                show_news();
                continue;
            }
            if (polled[0].revents == 0) continue;
            if (follow_size()) draw_below({});
            char byte = 0;
            const auto got = ::read(STDIN_FILENO, &byte, 1);
            if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
            if (got <= 0) return std::nullopt;
            return byte;
        }
    }

    static int read_character(EditLine* line, wchar_t* out) {
        auto& self = of(line);
        std::mbstate_t state{};
        while (true) {
            const auto byte = self.read_byte(-1);
            if (!byte) return 0;
            const auto size = std::mbrtowc(out, &*byte, 1, &state);  // NOLINT(concurrency-mt-unsafe)
            if (size == static_cast<std::size_t>(-2)) continue;      // more of it is to come
            if (size != static_cast<std::size_t>(-1)) return 1;
            state = {};
        }
    }

    /// Nothing of it is done or sent before the person ends the line.
    static unsigned char paste(EditLine* line, int /*key*/) {
        auto& self = of(line);
        std::string bytes;
        while (!bytes.ends_with(paste_ends)) {
            const auto byte = self.read_byte(paste_patience_ms);
            if (!byte) break;
            // What is too long is cut off there.
            if (bytes.size() == longest_paste + paste_ends.size()) bytes.erase(longest_paste, 1);
            bytes += *byte;
        }
        if (bytes.ends_with(paste_ends)) bytes.resize(bytes.size() - paste_ends.size());
        const auto text = pasted(bytes);
        if (text.empty()) return CC_NORM;
        return ::el_winsertstr(line, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    }

    /// Ctrl-Z: the shell has the terminal until it brings us back.
    static unsigned char suspend(EditLine* line, int /*key*/) {
        // NOLINTBEGIN(cppcoreguidelines-pro-type-vararg)
        write_all(std::string{no_more_pastes} + "\n");
        ::el_wset(line, EL_PREP_TERM, 0);
        sigset_t stop;
        sigemptyset(&stop);
        sigaddset(&stop, SIGTSTP);
        pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
        std::ignore = ::raise(SIGTSTP);
        pthread_sigmask(SIG_BLOCK, &stop, nullptr);
        ::el_wset(line, EL_PREP_TERM, 1);
        write_all(ask_for_pastes);
        ::el_wset(line, EL_REFRESH);
        // NOLINTEND(cppcoreguidelines-pro-type-vararg)
        return CC_NORM;
    }

    static unsigned char complete(EditLine* line, int /*key*/) {
        auto& self = of(line);
        const auto* const info = ::el_wline(line);
        const auto typed = narrow({info->buffer, static_cast<std::size_t>(info->cursor - info->buffer)});
        const auto words = self.owner.hooks_.complete(typed);
        if (words.empty()) return CC_REFRESH_BEEP;
        const auto space = typed.find_last_of(" \t");
        const auto word = space == std::string::npos ? typed : typed.substr(space + 1);
        auto common = words.front();
        for (const auto& other : words)
            while (!other.starts_with(common)) common.pop_back();
        if (words.size() == 1) common += ' ';
        if (common.size() > word.size()) {
            ::el_winsertstr(line, widen(common.substr(word.size())).c_str());
            return CC_REFRESH;
        }
        std::string list;
        for (const auto& one : words) list += (list.empty() ? "" : "  ") + one;
        self.owner.print(list + "\n");
        return CC_REFRESH_BEEP;
    }
};

ChatEditor::ChatEditor(Hooks hooks)
    : hooks_(std::move(hooks)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    // Signals are for whoever waits for them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread{[this] { run(); }};
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ChatEditor::~ChatEditor() {
    stop_ = true;
    wake();
    thread_.join();
    write_all(take_news().output);
    ::close(event_);
}

void ChatEditor::wake() const {
    std::ignore = ::eventfd_write(event_, 1);
}

ChatEditor::News ChatEditor::take_news() {
    const std::lock_guard lock(mutex_);
    return std::exchange(news_, {});
}

void ChatEditor::print(std::string_view text) {
    {
        const std::lock_guard lock(mutex_);
        news_.output += text;
    }
    wake();
}

void ChatEditor::show(std::string_view text, std::string prompt) {
    {
        const std::lock_guard lock(mutex_);
        news_.output += text;
        if (prompt != prompt_) news_.prompt = true;
        if (news_.output.empty() && !news_.prompt) return;
        prompt_ = std::move(prompt);
    }
    wake();
}

std::optional<std::string> ChatEditor::next() {
    const std::lock_guard lock(mutex_);
    if (lines_.empty()) return std::nullopt;
    auto out = std::move(lines_.front());
    lines_.pop_front();
    return out;
}

bool ChatEditor::at_end() {
    const std::lock_guard lock(mutex_);
    return over_ && lines_.empty();
}

void ChatEditor::run() {
    {
        Libedit edit{*this};
        int length = 0;
        const bool ready = edit.open();
        while (ready && !stop_) {
            const auto* const typed = ::el_wgets(edit.line, &length);
            if (typed == nullptr || length <= 0) break;
            std::wstring_view text{typed, static_cast<std::size_t>(length)};
            if (text.ends_with(L'\n')) text.remove_suffix(1);
            if (!text.empty()) edit.remember(std::wstring{text}.c_str());
            {
                const std::lock_guard lock(mutex_);
                lines_.push_back(unmarked(text));
            }
            hooks_.more();
        }
    }
    write_all("\n");
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    hooks_.more();
}

}  // namespace sotto::cli
