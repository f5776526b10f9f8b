/** Makes the registry refuse a schema that could not read what older ones wrote. */
export async function requireCompatibility(url: string): Promise<void> {
  const answer = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ compatibility: 'BACKWARD' }),
  });
  if (!answer.ok)
    throw new Error(`the registry refused the compatibility rule: ${answer.status} ${await answer.text()}`);
}
