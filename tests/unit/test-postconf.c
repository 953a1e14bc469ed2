/*
 * postconf's parts: edits of a main.cf as text and as a file, how a setting is printed, and how a
 * service becomes a line of master.cf.
 */

#include <sys/file.h>
#include <sys/wait.h>

#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"
#include "tools/postconf/edit-file.h"
#include "tools/postconf/format.h"
#include "tools/postconf/service-line.h"

static TempTree tree;
static Buf out;

static void set_up(void) {
        temp_tree_make(&tree);
        out = BUF_INIT(64 * 1024);
}

static void tear_down(void) {
        buf_deinit(&out);
        temp_tree_remove(&tree);
}

/* ---- text ---- */

typedef struct EditCase {
        EditAction action;
        const char *words[4];
        const char *before;
        const char *after;
} EditCase;

static const EditCase edit_cases[] = {
        { EDIT_SET, { "a=1" }, "", "a = 1\n" },
        { EDIT_SET, { "a=1" }, "b = 2\n", "b = 2\na = 1\n" },
        { EDIT_SET, { "a=1" }, "b = 2", "b = 2\na = 1\n" },
        { EDIT_SET, { "a=1" }, "a=2\nb=3\n", "a = 1\nb=3\n" },
        { EDIT_SET, { "a = x y " }, "a=2", "a = x y\n" },
        { EDIT_SET, { "a=" }, "a=2\n", "a =\n" },
        { EDIT_SET, { "a==" }, "a=2\n", "a = =\n" },
        { EDIT_SET, { "a=$b # c" }, "", "a = $b # c\n" },
        { EDIT_SET, { "a=1" }, "ab=2\n#a=3\n", "ab=2\n#a=3\na = 1\n" },
        { EDIT_SET, { "a=1" }, "a=2\n b\n\tc\nd=4\n", "a = 1\nd=4\n" },
        { EDIT_SET, { "a=1" }, "a=2\n# in\n\n b\n# on\nd=4\n", "a = 1\n# in\n\n# on\nd=4\n" },
        { EDIT_SET, { "a=1" }, "a\n = 2\nb=3\n", "a = 1\nb=3\n" },
        { EDIT_SET, { "a=1" }, "  a = 2\nb=3\n", "a = 1\nb=3\n" },
        { EDIT_SET, { "a=1" }, "b=3\n  a = 2\n", "b=3\n  a = 2\na = 1\n" },
        { EDIT_SET, { "a=1" }, "a=2\nb=3\na=4\n", "a = 1\nb=3\na = 1\n" },
        { EDIT_SET, { "a=1", "b=2", "c=3" }, "b=0\n", "b = 2\na = 1\nc = 3\n" },
        { EDIT_SET, { "a=1", "a=2" }, "", "a = 2\n" },
        { EDIT_SET, { "a=1", "a=2" }, "a=0\n", "a = 2\n" },
        { EDIT_SET, { "a=1" }, "no setting\n b\n", "no setting\n b\na = 1\n" },
        { EDIT_SET, { "a=1" }, "a = 2\r\nb = 3\r\n", "a = 1\nb = 3\r\n" },
        { EDIT_COMMENT, { "a" }, "a=2\n# in\n b\nd=4\n", "#a=2\n# in\n# b\nd=4\n" },
        { EDIT_COMMENT, { "a" }, "a=1\nb=2\na=3", "#a=1\nb=2\n#a=3\n" },
        { EDIT_COMMENT, { "a" }, "b=1\n a=2\n", "b=1\n a=2\n" },
        { EDIT_REMOVE, { "a" }, "a=2\n# in\n\n b\n# on\nd=4\n", "# in\n\n# on\nd=4\n" },
        { EDIT_REMOVE, { "a", "b" }, "b=1\nc=2\na=3\n", "c=2\n" },
        { EDIT_REMOVE, { "a" }, "A=1\n", "A=1\n" },
        { EDIT_REMOVE, { "a" }, "", "" },
};

static size_t parse_words(const EditCase *c, Edit *edits) {
        size_t n = 0;
        const char *reason;

        for (; n < ARRAY_LEN(c->words) && c->words[n]; n++)
                ck_assert_int_eq(
                        edit_parse_word(c->action, str_from_cstr(c->words[n]), &edits[n], &reason),
                        0);
        return n;
}

START_TEST(edits_keep_all_else_as_it_was) {
        const EditCase *c = &edit_cases[_i];
        Edit edits[4];
        size_t n = parse_words(c, edits);

        ck_assert_int_eq(edit_text(str_from_cstr(c->before), edits, n, &out), 0);
        ck_assert_str_eq(buf_cstr(&out), c->after);
}
END_TEST

START_TEST(words_that_are_no_setting_are_refused) {
        static const struct {
                EditAction action;
                const char *word;
                const char *reason;
        } bad[] = {
                { EDIT_SET, "a", "no '=' after the parameter name" },
                { EDIT_SET, "=a", "no parameter name before '='" },
                { EDIT_SET, "a b=c", "no '=' after the parameter name" },
                { EDIT_SET, "a=b\nc=d", "more than one line" },
                { EDIT_SET, "#a=b", "not the name of a parameter" },
                { EDIT_SET, "a\x01=b", "not the name of a parameter" },
                { EDIT_REMOVE, "", "not the name of a parameter" },
                { EDIT_REMOVE, "a=b", "not the name of a parameter" },
                { EDIT_COMMENT, "a b", "not the name of a parameter" },
                { EDIT_COMMENT, "a\n", "more than one line" },
        };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                Edit edit;
                const char *reason;

                ck_assert_int_eq(
                        edit_parse_word(bad[i].action, str_from_cstr(bad[i].word), &edit, &reason),
                        EDIT_E_WORD);
                ck_assert_str_eq(reason, bad[i].reason);
        }
}
END_TEST

START_TEST(what_was_not_there_to_edit_is_told) {
        Edit edits[2] = { { .action = EDIT_REMOVE, .name = STR("a") },
                          { .action = EDIT_REMOVE, .name = STR("b") } };

        ck_assert_int_eq(edit_text(STR("b=1\n"), edits, 2, &out), 0);
        ck_assert(!edits[0].is_met);
        ck_assert(edits[1].is_met);
}
END_TEST

/* ---- files ---- */

static const char *path_of(const char *name) {
        static char path[128];

        return temp_tree_path(&tree, name, path, sizeof(path));
}

static int set(const char *name, const char *word) {
        Edit edit;
        const char *reason;

        ck_assert_int_eq(edit_parse_word(EDIT_SET, str_from_cstr(word), &edit, &reason), 0);
        buf_reset(&out);
        return edit_file(path_of(name), &edit, 1, &out);
}

static void expect_file(const char *name, const char *expected) {
        buf_reset(&out);
        ck_assert_int_eq(file_read(AT_FDCWD, path_of(name), &out), 0);
        ck_assert_str_eq(buf_cstr(&out), expected);
}

START_TEST(a_file_keeps_owner_and_mode) {
        struct stat before;
        struct stat after;

        temp_tree_write_text(&tree, "main.cf", "a = 1\n");
        ck_assert(getuid() != 0 || chown(path_of("main.cf"), 12, 34) == 0);
        ck_assert_int_eq(chmod(path_of("main.cf"), 0640), 0);
        ck_assert_int_eq(stat(path_of("main.cf"), &before), 0);
        ck_assert_int_eq(set("main.cf", "b=2"), 0);
        expect_file("main.cf", "a = 1\nb = 2\n");
        ck_assert_int_eq(stat(path_of("main.cf"), &after), 0);
        ck_assert_uint_eq(after.st_mode, before.st_mode);
        ck_assert_uint_eq(after.st_uid, before.st_uid);
        ck_assert_uint_eq(after.st_gid, before.st_gid);
        ck_assert_uint_ne(after.st_ino, before.st_ino);
}
END_TEST

START_TEST(a_file_that_stays_as_it_is_is_not_touched) {
        struct stat before;
        struct stat after;

        temp_tree_write_text(&tree, "main.cf", "a = 1\n");
        ck_assert_int_eq(stat(path_of("main.cf"), &before), 0);
        ck_assert_int_eq(set("main.cf", "a=1"), 0);
        ck_assert_int_eq(stat(path_of("main.cf"), &after), 0);
        ck_assert_uint_eq(after.st_ino, before.st_ino);
}
END_TEST

START_TEST(a_missing_file_is_made_with_its_directory) {
        struct stat status;

        ck_assert_int_eq(set("etc/main.cf", "a=1"), 0);
        expect_file("etc/main.cf", "a = 1\n");
        ck_assert_int_eq(stat(path_of("etc/main.cf"), &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_link_stays_a_link) {
        struct stat status;

        temp_tree_write_text(&tree, "real/main.cf", "a = 1\n");
        temp_tree_write_text(&tree, "etc/x", "");
        ck_assert_int_eq(symlink("../real/main.cf", path_of("etc/main.cf")), 0);
        ck_assert_int_eq(set("etc/main.cf", "a=2"), 0);
        ck_assert_int_eq(lstat(path_of("etc/main.cf"), &status), 0);
        ck_assert(S_ISLNK(status.st_mode));
        expect_file("real/main.cf", "a = 2\n");
        ck_assert_int_eq(unlink(path_of("real/main.cf")), 0);
        ck_assert_int_eq(set("etc/main.cf", "a=3"), -1);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "a symbolic link that leads nowhere"));
        ck_assert_int_eq(lstat(path_of("etc/main.cf"), &status), 0);
        ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

/* Anybody can lock a directory that he may read. */
START_TEST(an_edit_waits_for_no_stranger) {
        int fd;

        temp_tree_write_text(&tree, "etc/main.cf", "a = 1\n");
        fd = open(path_of("etc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(flock(fd, LOCK_EX), 0);
        ck_assert_int_eq(set("etc/main.cf", "a=2"), 0);
        expect_file("etc/main.cf", "a = 2\n");
        ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(what_is_no_main_cf_is_left_alone) {
        temp_tree_write_text(&tree, "main.cf/x", "");
        ck_assert_int_eq(set("main.cf", "a=1"), -1);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "/main.cf: not a regular file"));
        temp_tree_write_text(&tree, "file", "");
        ck_assert_int_eq(set("file/main.cf", "a=1"), -1);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "Not a directory"));
}
END_TEST

START_TEST(a_file_too_large_is_left_alone) {
        size_t size = 1024 * 1024;
        char *text = malloc(size);

        ck_assert_ptr_nonnull(text);
        memset(text, '\n', size);
        temp_tree_write(&tree, "main.cf", str_from(text, size));
        ck_assert_int_eq(set("main.cf", "a=1"), -1);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "would be too large"));
        free(text);
}
END_TEST

/* Twenty processes add one name each: no edit is lost. */
START_TEST(edits_at_once_wait_for_each_other) {
        enum {
                N = 20
        };
        char word[32];

        for (int i = 0; i < N; i++) {
                pid_t pid = fork();

                ck_assert_int_ge(pid, 0);
                if (pid == 0) {
                        (void)snprintf(word, sizeof(word), "name%d=1", i);
                        _exit(set("main.cf", word) == 0 ? 0 : 1);
                }
        }
        for (int i = 0; i < N; i++) {
                int status;

                ck_assert_int_gt(wait(&status), 0);
                ck_assert_int_eq(status, 0);
        }
        buf_reset(&out);
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("main.cf"), &out), 0);
        for (int i = 0; i < N; i++) {
                (void)snprintf(word, sizeof(word), "name%d = 1\n", i);
                ck_assert_ptr_nonnull(strstr(buf_cstr(&out), word));
        }
}
END_TEST

/* ---- output ---- */

typedef struct FormatCase {
        PostconfOptions options;
        const char *value;
        const char *expected;
} FormatCase;

static const FormatCase format_cases[] = {
        { { 0 }, "x y", "name = x y\n" },
        { { 0 }, "", "name =\n" },
        { { .hide_name = true }, "x", "x\n" },
        { { .hide_name = true }, "", "\n" },
        { { .hide_value = true }, "x", "name\n" },
        { { .origin = true }, "x", "admin /etc/main.cf:7: name = x\n" },
        { { .origin = true, .hide_name = true }, "x", "admin /etc/main.cf:7: x\n" },
        { { .json = true }, "a\"\\\t\xff", "{\"name\": \"name\", \"value\": \"a\\\"\\\\\\t?\"}\n" },
        { { .json = true, .hide_name = true }, "x", "{\"value\": \"x\"}\n" },
        { { .json = true, .hide_value = true }, "x", "{\"name\": \"name\"}\n" },
        { { .json = true, .origin = true },
          "x",
          "{\"name\": \"name\", \"value\": \"x\", \"layer\": \"admin\", \"file\": "
          "\"/etc/main.cf\", \"line\": 7}\n" },
        { { .fold = true }, "short", "name = short\n" },
        /* 80 columns stay, 81 do not */
        { { .fold = true },
          "1 345678901234567890123456789012345678901234567890123456789012345678901 34",
          "name = 1 345678901234567890123456789012345678901234567890123456789012345678901\n"
          "    34\n" },
        { { .fold = true },
          "1 34567890123456789012345678901234567890123456789012345678901234567890 234",
          "name = 1 34567890123456789012345678901234567890123456789012345678901234567890\n"
          "    234\n" },
        { { .fold = true },
          "1 3456789012345678901234567890123456789012345678901234567890123456789 123",
          "name = 1 3456789012345678901234567890123456789012345678901234567890123456789 123\n" },
};

START_TEST(each_option_has_its_form) {
        const FormatCase *c = &format_cases[_i];
        const FormatRow row = {
                .name = STR("name"),
                .value = str_from_cstr(c->value),
                .origin = { .layer = "admin", .file = "/etc/main.cf", .line = 7 },
        };

        ck_assert_int_eq(format_row(&c->options, &row, &out), 0);
        ck_assert_str_eq(buf_cstr(&out), c->expected);
}
END_TEST

START_TEST(a_default_has_no_file) {
        const PostconfOptions plain = { .origin = true };
        const PostconfOptions json = { .origin = true, .json = true };
        const FormatRow row = {
                .name = STR("a"),
                .value = STR("b"),
                .origin = { .layer = "default" },
        };

        ck_assert_int_eq(format_row(&plain, &row, &out), 0);
        ck_assert_int_eq(format_row(&json, &row, &out), 0);
        ck_assert_str_eq(buf_cstr(&out), "default: a = b\n"
                                         "{\"name\": \"a\", \"value\": \"b\", \"layer\": "
                                         "\"default\"}\n");
}
END_TEST

/* ---- services ---- */

static char *smtp_arguments[] = { (char *)"--x", (char *)"-o",  (char *)"a = b",
                                  (char *)"-o",  (char *)"c=d", (char *)"-o",
                                  NULL };

static const ServiceLine smtp_line = {
        .name = "smtp",
        .type = "unix",
        .command = "smtp",
        .arguments = smtp_arguments,
        .is_private = true,
        .is_unprivileged = true,
};

START_TEST(a_service_is_a_line_of_master_cf) {
        PostconfOptions options = { .mode = POSTCONF_SERVICES };
        ServiceLine off = smtp_line;

        ck_assert_int_eq(service_line_format(&options, &smtp_line, NULL, &out), 0);
        ck_assert_str_eq(buf_cstr(&out),
                         "smtp       unix       y       y       n       -       -       smtp --x "
                         "-o a = b -o c=d -o\n");
        off.is_off = true;
        off.is_private = off.is_unprivileged = false;
        options.fold = true;
        buf_reset(&out);
        ck_assert_int_eq(service_line_format(&options, &off, NULL, &out), 0);
        ck_assert_str_eq(buf_cstr(&out),
                         "#smtp      unix       n       n       n       -       -       smtp --x\n"
                         "    -o a = b\n    -o c=d -o\n");
}
END_TEST

START_TEST(fields_and_parameters_are_one_a_line) {
        PostconfOptions options = { .mode = POSTCONF_SERVICE_FIELDS };

        ck_assert_int_eq(service_line_format(&options, &smtp_line, NULL, &out), 0);
        ck_assert_str_eq(buf_cstr(&out), "smtp/unix/service = smtp\nsmtp/unix/type = unix\n"
                                         "smtp/unix/private = y\nsmtp/unix/unprivileged = y\n"
                                         "smtp/unix/chroot = n\nsmtp/unix/wakeup = -\n"
                                         "smtp/unix/process_limit = -\n"
                                         "smtp/unix/command = smtp --x -o a = b -o c=d -o\n");
        buf_reset(&out);
        ck_assert_int_eq(service_line_format(&options, &smtp_line, "type", &out), 0);
        ck_assert_str_eq(buf_cstr(&out), "smtp/unix/type = unix\n");
        options.mode = POSTCONF_SERVICE_PARAMETERS;
        buf_reset(&out);
        ck_assert_int_eq(service_line_format(&options, &smtp_line, NULL, &out), 0);
        ck_assert_int_eq(service_line_format(&options, &smtp_line, "c", &out), 0);
        ck_assert_str_eq(buf_cstr(&out), "smtp/unix/a = b\nsmtp/unix/c = d\nsmtp/unix/c = d\n");
}
END_TEST

START_TEST(a_service_is_asked_for_by_name_and_type) {
        static const char *const yes[] = { "smtp", "smtp/unix", "smtp/unix/type" };
        static const char *const no[] = { "", "smt", "smtpd", "smtp/inet", "/unix", "unix" };

        for (size_t i = 0; i < ARRAY_LEN(yes); i++)
                ck_assert(service_line_matches(&smtp_line, yes[i]));
        for (size_t i = 0; i < ARRAY_LEN(no); i++)
                ck_assert(!service_line_matches(&smtp_line, no[i]));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("postconf");
        TCase *tcase = tcase_create("postconf");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, edits_keep_all_else_as_it_was, 0, ARRAY_LEN(edit_cases));
        tcase_add_test(tcase, words_that_are_no_setting_are_refused);
        tcase_add_test(tcase, what_was_not_there_to_edit_is_told);
        tcase_add_test(tcase, a_file_keeps_owner_and_mode);
        tcase_add_test(tcase, a_file_that_stays_as_it_is_is_not_touched);
        tcase_add_test(tcase, a_missing_file_is_made_with_its_directory);
        tcase_add_test(tcase, a_link_stays_a_link);
        tcase_add_test(tcase, an_edit_waits_for_no_stranger);
        tcase_add_test(tcase, what_is_no_main_cf_is_left_alone);
        tcase_add_test(tcase, a_file_too_large_is_left_alone);
        tcase_add_test(tcase, edits_at_once_wait_for_each_other);
        tcase_add_loop_test(tcase, each_option_has_its_form, 0, ARRAY_LEN(format_cases));
        tcase_add_test(tcase, a_default_has_no_file);
        tcase_add_test(tcase, a_service_is_a_line_of_master_cf);
        tcase_add_test(tcase, fields_and_parameters_are_one_a_line);
        tcase_add_test(tcase, a_service_is_asked_for_by_name_and_type);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
