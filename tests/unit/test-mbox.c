/* mbox: what a reader that splits at From_ lines sees is one message, whatever the bytes are. */

#include "common/base/buf.h"
#include "services/local/mbox.h"
#include "tests/unit/unit.h"

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

/* CONTENT through the writer in pieces of SIZE bytes. */
static void write_in_pieces(Str content, size_t size, Buf *out) {
        MboxWriter writer;

        mbox_writer_init(&writer, collect, out);
        while (content.len > 0) {
                ck_assert_int_eq(mbox_writer_add(&writer, str_first(content, size)), 0);
                content = str_skip(content, size);
        }
        ck_assert_int_eq(mbox_writer_finish(&writer), 0);
}

static const struct {
        const char *content;
        const char *written;
} bodies[] = {
        { "", "\n" },
        { "a\n", "a\n\n" },
        { "a", "a\n\n" },
        { "\n", "\n\n" },
        { "From x\n", ">From x\n\n" },
        { "From ", ">From \n\n" },
        { "From", "From\n\n" },
        { "F", "F\n\n" },
        { "From\n", "From\n\n" },
        { ">From x\n", ">From x\n\n" },
        { "from x\n", "from x\n\n" },
        { "a\nFrom b\nFrom c\n", "a\n>From b\n>From c\n\n" },
        { "a\n\nFrom b", "a\n\n>From b\n\n" },
        { "a From b\n", "a From b\n\n" },
        { " From b\n", " From b\n\n" },
        { "FFrom b\n", "FFrom b\n\n" },
        { "F\nFrom b\n", "F\n>From b\n\n" },
        { "Fro\nFrom b\n", "Fro\n>From b\n\n" },
        { "a\r\nFrom b\r\n", "a\r\n>From b\r\n\n" },
        { "a\rFrom b\r", "a\rFrom b\r\n\n" },
        { "\n\n\nFrom \n\n", "\n\n\n>From \n\n\n" },
};

START_TEST(from_lines_are_quoted_in_any_chunking) {
        Str content = str_from_cstr(bodies[_i].content);

        for (size_t size = 1; size <= content.len + 1; size++) {
                _cleanup_(buf_deinit) Buf out = BUF_INIT(1000);

                write_in_pieces(content, size, &out);
                ck_assert_msg(str_equal(buf_str(&out), str_from_cstr(bodies[_i].written)),
                              "case %d, pieces of %zu: '%.*s'", _i, size, STR_FMT(buf_str(&out)));
        }
}
END_TEST

START_TEST(a_nul_in_the_body_is_kept) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(1000);

        write_in_pieces(STR("a\0b\nFrom \0\n"), 3, &out);
        ck_assert(str_equal(buf_str(&out), STR("a\0b\n>From \0\n\n")));
}
END_TEST

static int refuse(void *userdata, Str data) {
        return --*(int *)userdata < 0 ? 42 : 0;
}

START_TEST(what_the_output_says_ends_the_writing) {
        for (int after = 0; after < 4; after++) {
                MboxWriter writer;
                int left = after, r;

                mbox_writer_init(&writer, refuse, &left);
                r = mbox_writer_add(&writer, STR("a\nFrom b\n"));
                if (r == 0)
                        r = mbox_writer_finish(&writer);
                ck_assert_int_eq(r, 42);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("mbox");
        TCase *body = tcase_create("body");

        tcase_add_loop_test(body, from_lines_are_quoted_in_any_chunking, 0, ARRAY_LEN(bodies));
        tcase_add_test(body, a_nul_in_the_body_is_kept);
        tcase_add_test(body, what_the_output_says_ends_the_writing);
        suite_add_tcase(suite, body);
        return unit_run(suite);
}
