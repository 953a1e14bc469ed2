/*
 * Answers in a list, found by table and key. The table's text is the key, not the table: after a
 * reload it may be another one of the same text, at the same place.
 */

#include "common/mail/table-answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct Answer {
        TableAnswers *owner; /* NULL: nobody waits any more */
        struct Answer *next;
        Str spec, key, value; /* what follows, but for value of its own */
        TableResult result;   /* TABLE_WAIT until it is here */
        char text[];
} Answer;

struct TableAnswers {
        void (*ready)(void *userdata);
        void *userdata;
        Answer *first;
        size_t n;
        size_t n_bytes;
        bool is_asking; /* an answer that comes now is no news */
};

int table_answers_new(void (*ready)(void *userdata), void *userdata, TableAnswers **ret) {
        TableAnswers *answers = calloc(1, sizeof(*answers));

        if (!answers)
                return -ENOMEM;
        answers->ready = ready;
        answers->userdata = userdata;
        *ret = answers;
        return 0;
}

static void answer_free(Answer *answer) {
        free((char *)answer->value.data);
        free(answer);
}

void table_answers_reset(TableAnswers *answers) {
        Answer *next;

        for (Answer *answer = answers->first; answer; answer = next) {
                next = answer->next;
                answer->owner = NULL;
                if (answer->result != TABLE_WAIT)
                        answer_free(answer); /* else it goes when it comes */
        }
        answers->first = NULL;
        answers->n = 0;
        answers->n_bytes = 0;
}

TableAnswers *table_answers_free(TableAnswers *answers) {
        if (!answers)
                return NULL;
        table_answers_reset(answers);
        free(answers);
        return NULL;
}

static Answer *find(const TableAnswers *answers, Str spec, Str key) {
        for (Answer *answer = answers->first; answer; answer = answer->next)
                if (str_equal(answer->key, key) && str_equal(answer->spec, spec))
                        return answer;
        return NULL;
}

static Answer *add(TableAnswers *answers, Str spec, Str key) {
        Answer *answer = malloc(sizeof(*answer) + spec.len + key.len);

        if (!answer)
                return NULL;
        *answer = (Answer){ .owner = answers, .next = answers->first, .result = TABLE_WAIT };
        answer->spec = str_from(answer->text, spec.len);
        answer->key = str_from(answer->text + spec.len, key.len);
        memcpy(answer->text, spec.data, spec.len);
        if (key.len > 0)
                memcpy(answer->text + spec.len, key.data, key.len);
        answers->first = answer;
        answers->n++;
        answers->n_bytes += spec.len + key.len;
        return answer;
}

static void set_answer(TableAnswers *answers, Answer *answer, TableResult result, Str value) {
        Str copy = STR_NULL;

        if (value.len >
            TABLE_ANSWERS_BYTES_MAX - size_min(answers->n_bytes, TABLE_ANSWERS_BYTES_MAX)) {
                result = TABLE_ERROR;
                value = STR("too many bytes of answers");
        }
        if (!str_is_empty(value)) {
                copy = str_from(str_dup(value), value.len);
                if (!copy.data) {
                        result = TABLE_ERROR;
                        copy = STR_NULL;
                }
        }
        answer->value = copy;
        answer->result = result;
        answers->n_bytes += copy.len;
}

static void on_reply(void *userdata, TableResult result, Str value) {
        Answer *answer = userdata;
        TableAnswers *answers = answer->owner;

        if (!answers) {
                answer_free(answer);
                return;
        }
        set_answer(answers, answer, result, value);
        if (!answers->is_asking)
                answers->ready(answers->userdata);
}

static TableResult give(const Answer *answer, Buf *ret) {
        if (answer->result == TABLE_WAIT)
                return TABLE_WAIT;
        if (answer->result == TABLE_ERROR)
                (void)buf_append_clipped(ret, answer->value);
        else if (buf_append_str(ret, answer->value) != 0) {
                (void)buf_append_clipped(ret, STR("value too long for its use"));
                return TABLE_ERROR;
        }
        return answer->result;
}

static TableResult fail(Buf *ret, const char *reason) {
        (void)buf_append_clipped(ret, str_from_cstr(reason));
        return TABLE_ERROR;
}

/* Ask what was not asked before. */
static TableResult ask_now(Table *table, Str key, TableAnswers *answers, Buf *ret) {
        Answer *answer;
        int r;

        if (answers->n >= TABLE_ANSWERS_MAX || answers->n_bytes >= TABLE_ANSWERS_BYTES_MAX)
                return fail(ret, "too many questions for one piece of work");
        answer = add(answers, table_spec(table), key);
        if (!answer)
                return fail(ret, strerror(ENOMEM));
        answers->is_asking = true;
        r = table_lookup(table, answer->key, on_reply, answer);
        answers->is_asking = false;
        if (r < 0)
                set_answer(answers, answer, TABLE_ERROR, str_from_cstr(strerror(-r)));
        return give(answer, ret);
}

TableResult table_ask(Table *table, const TableQuestion *question, Buf *ret) {
        TableAnswers *answers = question->answers;
        Answer *answer;

        if (question->is_partial && table_is_pattern(table))
                return TABLE_NOT_FOUND;
        if (!answers || !table_is_remote(table))
                return table_lookup_wait(table, question->key, ret);
        answer = find(answers, table_spec(table), question->key);
        return answer ? give(answer, ret) : ask_now(table, question->key, answers, ret);
}
