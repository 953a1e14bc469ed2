/* common/mail/table-answers: the same code for those who wait for tables, and for loops. */

#include "common/mail/table-answers.h"

#include <stdio.h>
#include <string.h>

#include "common/mail/match-list.h"
#include "common/mail/table-list.h"
#include "tests/unit/unit.h"

#define QUESTIONS_MAX 2000

/* What went through the transport and is not answered yet. */
static struct {
        TableReply reply[QUESTIONS_MAX];
        void *userdata[QUESTIONS_MAX];
        char key[100];
        unsigned n;
        bool answers_at_once;
        unsigned n_ready;
} remote;

static TableAnswers *answers;

static int ask(void *context, Str name, Str key, TableReply reply, void *userdata) {
        (void)snprintf(remote.key, sizeof(remote.key), "%.*s", STR_FMT(key));
        remote.reply[remote.n] = reply;
        remote.userdata[remote.n++] = userdata;
        if (remote.answers_at_once)
                reply(userdata, TABLE_FOUND, STR("now"));
        return 0;
}

static const TableTransport transport = { .lookup = ask };
static const TableContext context = { .transport = &transport };

static void on_ready(void *userdata) {
        remote.n_ready++;
}

/* Forked for each test, so nothing is left of another. */
static void make_answers(void) {
        ck_assert_int_eq(table_answers_new(on_ready, NULL, &answers), 0);
}

static TableList *make(const char *specs) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        TableList *list = NULL;

        ck_assert_int_eq(table_list_new(str_from_cstr(specs), &context, &list, &error), 0);
        return list;
}

static void expect(TableList *list, const char *key, TableResult want, const char *text) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(1000);
        const TableQuestion question = { .key = str_from_cstr(key), .answers = answers };

        ck_assert_int_eq(table_list_ask(list, &question, &value, NULL), want);
        ck_assert_msg(str_equal(buf_str(&value), str_from_cstr(text)), "%.*s",
                      STR_FMT(buf_str(&value)));
}

static void answer(unsigned i, TableResult result, const char *text) {
        remote.reply[i](remote.userdata[i], result, str_from_cstr(text));
}

START_TEST(a_loop_asks_again_when_the_answer_is_there) {
        _cleanup_(table_list_freep) TableList *list =
                make("inline:{a=1} unix:passwd.byname static:rest");

        make_answers();
        expect(list, "a", TABLE_FOUND, "1");
        ck_assert_uint_eq(remote.n, 0);
        expect(list, "b", TABLE_WAIT, "");
        expect(list, "b", TABLE_WAIT, "");
        ck_assert_uint_eq(remote.n, 1);
        answer(0, TABLE_NOT_FOUND, "");
        ck_assert_uint_eq(remote.n_ready, 1);
        expect(list, "b", TABLE_FOUND, "rest");
        expect(list, "c", TABLE_WAIT, "");
        answer(1, TABLE_FOUND, "value");
        expect(list, "c", TABLE_FOUND, "value");
        expect(list, "d", TABLE_WAIT, "");
        answer(2, TABLE_ERROR, "why");
        expect(list, "d", TABLE_ERROR, "why");
        ck_assert_uint_eq(remote.n, 3);
        answers = table_answers_free(answers);
}
END_TEST

START_TEST(an_answer_that_comes_at_once_wakes_nobody) {
        _cleanup_(table_list_freep) TableList *list = make("unix:passwd.byname");

        make_answers();
        remote.answers_at_once = true;
        expect(list, "b", TABLE_FOUND, "now");
        ck_assert_uint_eq(remote.n_ready, 0);
        expect(list, "b", TABLE_FOUND, "now");
        ck_assert_uint_eq(remote.n, 1);
        answers = table_answers_free(answers);
}
END_TEST

START_TEST(answers_outlive_their_table_and_their_asker) {
        TableList *list = make("unix:passwd.byname");

        make_answers();
        expect(list, "b", TABLE_WAIT, "");
        list = table_list_free(list);
        answer(0, TABLE_FOUND, "v"); /* of a configuration before the reload */
        list = make("unix:passwd.byname");
        expect(list, "b", TABLE_FOUND, "v");
        expect(list, "c", TABLE_WAIT, "");
        table_answers_reset(answers);
        answer(1, TABLE_FOUND, "old");
        ck_assert_uint_eq(remote.n_ready, 1);
        expect(list, "c", TABLE_WAIT, "");
        answers = table_answers_free(answers);
        answer(2, TABLE_FOUND, "late");
        ck_assert_uint_eq(remote.n_ready, 1);
        table_list_free(list);
}
END_TEST

START_TEST(questions_and_bytes_are_limited) {
        _cleanup_(buf_deinit) Buf big = BUF_INIT(TABLE_ANSWERS_BYTES_MAX + 1);
        _cleanup_(table_list_freep) TableList *list = make("unix:passwd.byname");
        char key[20];

        make_answers();
        for (unsigned i = 0; i < TABLE_ANSWERS_MAX; i++) {
                (void)snprintf(key, sizeof(key), "%u", i);
                expect(list, key, TABLE_WAIT, "");
        }
        expect(list, "more", TABLE_ERROR, "too many questions for one piece of work");
        expect(list, "7", TABLE_WAIT, "");
        while (big.len < TABLE_ANSWERS_BYTES_MAX)
                (void)buf_append_char(&big, 'x');
        remote.reply[0](remote.userdata[0], TABLE_FOUND, buf_str(&big));
        expect(list, "0", TABLE_ERROR, "too many bytes of answers");
        for (unsigned i = 1; i < TABLE_ANSWERS_MAX; i++)
                answer(i, TABLE_NOT_FOUND, "");
        answers = table_answers_free(answers);
}
END_TEST

START_TEST(a_list_of_names_waits_for_its_tables) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        _cleanup_(match_list_freep) MatchList *list = NULL;

        make_answers();
        ck_assert_int_eq(match_list_new(STR("a !unix:passwd.byname c"), MATCH_PARENT_DOMAINS,
                                        &context, &list, &error),
                         0);
        ck_assert_int_eq(match_list_find(list, STR("x.c"), answers, &error), TABLE_WAIT);
        answer(0, TABLE_NOT_FOUND, "");
        ck_assert_int_eq(match_list_find(list, STR("x.c"), answers, &error), TABLE_WAIT);
        ck_assert_str_eq(remote.key, "c");
        answer(1, TABLE_NOT_FOUND, "");
        ck_assert_int_eq(match_list_find(list, STR("x.c"), answers, &error), TABLE_FOUND);
        ck_assert_int_eq(match_list_find(list, STR("d"), answers, &error), TABLE_WAIT);
        answer(2, TABLE_FOUND, "");
        ck_assert_int_eq(match_list_find(list, STR("d"), answers, &error), TABLE_NOT_FOUND);
        ck_assert_uint_eq(error.len, 0);
        answers = table_answers_free(answers);
}
END_TEST

int main(void) {
        return unit_main("table-answers", a_loop_asks_again_when_the_answer_is_there,
                         an_answer_that_comes_at_once_wakes_nobody,
                         answers_outlive_their_table_and_their_asker,
                         questions_and_bytes_are_limited, a_list_of_names_waits_for_its_tables,
                         NULL);
}
