#pragma once

/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4): notices damage in stored records. It is no
 * protection against somebody who wants to deceive.
 */

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of DATA, or of more data behind what gave CRC: crc32c(crc32c(0, a), b) is that of a
 * and b together. Start with 0.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the processor's help, for tests. */
uint32_t crc32c_by_tables(uint32_t crc, const void *data, size_t len);
