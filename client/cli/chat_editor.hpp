// Lines typed into a terminal with editing, history and completion (libedit), while other lines are printed
// above.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sotto::cli {

/// One thread has the terminal, and everything that is printed goes through it. What was typed stays in
/// memory alone.
class ChatEditor {
  public:
    struct Hooks {
        std::function<void()> more;  ///< on the thread: a line is there, or the end
        /// On the thread: what the word that ends the line may become.
        std::function<std::vector<std::string>(std::string_view)> complete;
    };
    /// Standard input and output are a terminal that can move its cursor.
    explicit ChatEditor(Hooks hooks);
    ChatEditor(const ChatEditor&) = delete;
    ChatEditor& operator=(const ChatEditor&) = delete;
    ~ChatEditor();

    [[nodiscard]] std::optional<std::string> next();
    /// All lines were taken, and no more will come.
    [[nodiscard]] bool at_end();
    /// Whole lines, above the one that is being typed.
    void print(const std::string& text);
    void set_prompt(std::string prompt);

  private:
    struct Libedit;
    void run();
    /// Takes what is to be printed.
    [[nodiscard]] std::string take_output();
    void wake() const;

    Hooks hooks_;
    std::mutex mutex_;
    std::deque<std::string> lines_;
    std::string output_;
    std::string prompt_;
    bool over_ = false;
    std::atomic<bool> stop_ = false;
    int event_ = -1;
    std::thread thread_;
};

}  // namespace sotto::cli
