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
    /// Whole lines, above the one that is being typed, which is drawn again behind this prompt: both at once,
    /// so that nobody types behind the prompt of a conversation that was left.
    void show(std::string_view text, std::string prompt);

  private:
    struct Libedit;
    /// What is new since the line was drawn.
    struct News {
        std::string output;
        bool prompt = false;
    };
    void run();
    [[nodiscard]] News take_news();
    /// From the thread itself.
    void print(std::string_view text);
    void wake() const;

    Hooks hooks_;
    std::mutex mutex_;
    std::deque<std::string> lines_;
    News news_;
    std::string prompt_;
    bool over_ = false;
    std::atomic<bool> stop_ = false;
    int event_ = -1;
    std::thread thread_;
};

}  // namespace sotto::cli
