type Environment = Readonly<Record<string, string | undefined>>;
export declare function jarFolder(env?: Environment): string;
export declare function findJava(env?: Environment): Promise<string>;
export declare function ensureJars(say?: (line: string) => void, env?: Environment): Promise<string>;
