// Included before all else for a page: its memory has 32 bits, and so have the whole numbers then.
// JavaScript without WebAssembly knows no wider ones.
#pragma once

#include <stdint.h>

#define int64_t int32_t
