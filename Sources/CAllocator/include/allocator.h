#pragma once

/// Keeps freed blocks of up to `bytes` in the process for reuse instead of giving each back to the system.
/// Does nothing where the C library has no such setting.
void allocator_keep_blocks(int bytes);
