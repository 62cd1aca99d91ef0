import { createRoot } from 'react-dom/client'

createRoot(document.getElementById('page') as HTMLElement).render(<h1>Kith</h1>)
