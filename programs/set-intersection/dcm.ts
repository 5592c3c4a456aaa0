// What the host offers to a program: docs/PROGRAMS-WASM.md. The compiler takes the file's name as the name of the module.
export declare function input_size(index: i32): i32;
export declare function input_read(index: i32, to: usize, offset: i32, length: i32): void;
export declare function input_refuse(): void;
export declare function params_size(): i32;
export declare function params_read(to: usize, offset: i32, length: i32): void;
export declare function output_write(from: usize, length: i32): void;
