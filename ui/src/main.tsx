// The console starts here: the theme first, so that nothing flashes, then the pages.
import '@patternfly/react-core/dist/styles/base.css';
import './console.css';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { applyTheme } from './theme';

applyTheme();
createRoot(document.getElementById('root')!).render(<App />);
