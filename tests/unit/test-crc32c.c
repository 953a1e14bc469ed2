/* CRC-32C: the published vectors, and that pieces make the same sum as the whole. */

#include <string.h>

#include "common/base/crc32c.h"
#include "tests/unit/unit.h"

START_TEST(vectors_of_rfc_3720_b4) {
        uint8_t data[32];

        ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283U);
        memset(data, 0, sizeof(data));
        ck_assert_uint_eq(crc32c(0, data, sizeof(data)), 0x8a9136aaU);
        memset(data, 0xff, sizeof(data));
        ck_assert_uint_eq(crc32c(0, data, sizeof(data)), 0x62a8ab43U);
        for (int i = 0; i < 32; i++)
                data[i] = (uint8_t)i;
        ck_assert_uint_eq(crc32c(0, data, sizeof(data)), 0x46dd794eU);
        ck_assert_uint_eq(crc32c(0, NULL, 0), 0);
}
END_TEST

START_TEST(pieces_make_the_sum_of_the_whole) {
        uint8_t data[100];
        uint32_t whole;

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)(i * 37);
        whole = crc32c(0, data, sizeof(data));
        for (size_t cut = 0; cut <= sizeof(data); cut++)
                ck_assert_uint_eq(crc32c(crc32c(0, data, cut), data + cut, sizeof(data) - cut),
                                  whole);
}
END_TEST

START_TEST(the_processor_and_the_tables_agree) {
        uint8_t data[100];

        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)(i * 101 + 7);
        for (size_t from = 0; from < 9; from++)
                for (size_t len = 0; len <= sizeof(data) - from; len++)
                        ck_assert_uint_eq(crc32c(42, data + from, len),
                                          crc32c_by_tables(42, data + from, len));
}
END_TEST

int main(void) {
        return unit_main("crc32c", vectors_of_rfc_3720_b4, pieces_make_the_sum_of_the_whole,
                         the_processor_and_the_tables_agree, NULL);
}
