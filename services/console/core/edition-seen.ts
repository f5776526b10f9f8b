/**
 * In ClickHouse: the edition that readers have gone over to. As the views have it, so that a query that reads several of them asks once.
 * @param table `generations_now`, with its database
 */
export const editionNow = (table: string): string => `(SELECT greatest(max(edition), 1) FROM ${table})`;
