#include "files.hpp"

#include <fcntl.h>

#include "scratch.hpp"

namespace sotto::storage::test {
namespace {

using detail::Overwrite;

TEST(Files, AreWrittenWholeUnderTheirName) {
    const Scratch folder;
    const auto file = folder / "file";
    must(detail::write_whole(file, bytes_of("first"), Overwrite::no));
    EXPECT_EQ(file_text(file), "first");
    EXPECT_EQ(mode_of(file), 0600U);
    EXPECT_EQ(code_of(detail::write_whole(file, bytes_of("second"), Overwrite::no)), Code::exists);
    EXPECT_EQ(file_text(file), "first");
    must(detail::write_whole(file, bytes_of("third"), Overwrite::yes));
    EXPECT_EQ(file_text(file), "third");
    EXPECT_FALSE(std::filesystem::exists(detail::draft_of(file)));
}

TEST(Files, AreReadUpToALimit) {
    const Scratch folder;
    overwrite(folder / "file", "12345");
    EXPECT_EQ(must(detail::read_front(folder / "file", 3)).size(), 3U);
    EXPECT_EQ(must(detail::read_front(folder / "file", 30)).size(), 5U);
    EXPECT_EQ(code_of(detail::read_front(folder / "none", 3)), Code::missing);
    EXPECT_EQ(code_of(detail::read_front(folder.path(), 3)), Code::io);
}

TEST(Files, DoNotFollowALinkInTheirPlace) {
    const Scratch folder;
    std::filesystem::create_symlink(folder / "elsewhere", detail::draft_of(folder / "file"));
    EXPECT_EQ(code_of(detail::create_private(detail::draft_of(folder / "file"))), Code::exists);
    must(detail::write_whole(folder / "file", bytes_of("text"), Overwrite::no));
    EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST(Files, LeaveNoDraftWhenTheyCannotBeNamed) {
    const Scratch folder;
    std::filesystem::create_directories(folder / "taken/by/a/folder");
    EXPECT_FALSE(detail::write_whole(folder / "taken", bytes_of("text"), Overwrite::yes));
    EXPECT_FALSE(std::filesystem::exists(detail::draft_of(folder / "taken")));
    EXPECT_EQ(code_of(detail::write_whole(folder / "no/folder", bytes_of("text"), Overwrite::no)),
              Code::missing);
}

TEST(Files, CloseWhatTheyHold) {
    const Scratch folder;
    auto file = must(detail::create_private(folder / "a"));
    const int first = file.fd();
    file = must(detail::create_private(folder / "b"));
    EXPECT_EQ(::fcntl(first, F_GETFD), -1);
    const int second = file.fd();
    detail::File moved{std::move(file)};
    EXPECT_EQ(moved.fd(), second);
    EXPECT_EQ(moved.release(), second);
    EXPECT_NE(::fcntl(second, F_GETFD), -1);
    ::close(second);
}

TEST(Files, FoldersArePrivateWhateverTheUmask) {
    const Scratch folder;
    const auto before = ::umask(0);
    const auto made = detail::create_private_folder(folder / "a/b/c");
    ::umask(before);
    must(made);
    EXPECT_EQ(mode_of(folder / "a"), 0700U);
    EXPECT_EQ(mode_of(folder / "a/b/c"), 0700U);
    must(detail::create_private_folder(folder / "a/b/c/"));
    overwrite(folder / "file", "");
    EXPECT_EQ(code_of(detail::create_private_folder(folder / "file")), Code::exists);
    EXPECT_EQ(code_of(detail::create_private_folder(folder / "file/below")), Code::missing);
    EXPECT_EQ(code_of(detail::create_private_folder("")), Code::missing);
}

TEST(Files, ErrorsOfTheSystemHaveAMeaning) {
    EXPECT_EQ(detail::code_of(ENOSPC), Code::full);
    EXPECT_EQ(detail::code_of(EDQUOT), Code::full);
    EXPECT_EQ(detail::code_of(EROFS), Code::denied);
    EXPECT_EQ(detail::code_of(EACCES), Code::denied);
    EXPECT_EQ(detail::code_of(ENOTDIR), Code::missing);
    EXPECT_EQ(detail::code_of(EIO), Code::io);
}

}  // namespace
}  // namespace sotto::storage::test
